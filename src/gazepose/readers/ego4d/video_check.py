"""Do a video and the annotations of a clip belong together? The header alone says much."""

from pathlib import Path

import numpy as np

from common.media.video import VideoInfo
from gazepose.readers.ego4d.annotation import ClipAnnotation

# A header's rate is a mean; this is a frame or two in five minutes.
_RATE_TOLERANCE = 2e-4
_LENGTH_TOLERANCE = 1e-3
_SMALL_SIDE_PX = 540
_MAX_SHARE_OUTSIDE = 0.35
# Fewer prove nothing.
_MIN_BOXES = 20


def check_video(path: Path, info: VideoInfo, annotation: ClipAnnotation) -> None:
    """Refuse a video that the annotations cannot be of.

    Args:
        path: of the video, named in the message.
        info: its header.
        annotation: of the clip.

    Raises:
        ValueError: If it runs at another frame rate, so that frame numbers mean other moments, or
            is a reduced copy, so that boxes mean other places.
    """
    if is_other_rate(info, annotation):
        raise ValueError(
            f"{path} runs at {info.fps_hz:.6g} frames a second, the annotations of clip "
            f"{annotation.clip_uid} at {annotation.fps_hz:.6g}: their frame numbers do not agree. "
            f"Make it over: ffmpeg -i IN.mp4 -vf fps={annotation.fps_hz:.6g} OUT.mp4"
        )
    if is_reduced(info, annotation):
        raise ValueError(
            f"{path} is {info.width} x {info.height}, and {share_outside(annotation, info):.0%} "
            f"of the boxes of clip {annotation.clip_uid} lie outside: the boxes are full-scale "
            "pixels, the video looks like one of video_540ss. Download clips or full_scale, or "
            "give data.reader.annotations_dir=.../annotations_540ss"
        )


def check_length(
    path: Path, info: VideoInfo, annotation: ClipAnnotation, start: int | None
) -> None:
    """Refuse a video of another length than the annotations: frames may be missing at its front.

    Args:
        path: of the video, named in the message.
        info: its header.
        annotation: of the clip.
        start: the clip's frame 0 in the video, if that is a whole recording, which may go on;
            None for a file of the clip alone.

    Raises:
        ValueError: If the lengths differ by more than rounding explains.
    """
    if is_other_length(info, annotation, start):
        raise ValueError(
            f"{path} has {info.num_frames} frames, the annotations of clip {annotation.clip_uid} "
            f"end at {expected_length(annotation, start)}: their frame numbers may not agree. "
            "Download it again; if it is as published, data.reader.check_length=false (of "
            "data=ego4d) takes it"
        )


def is_other_rate(info: VideoInfo, annotation: ClipAnnotation) -> bool:
    """Return whether frame numbers drift apart over the video, if its header tells its rate."""
    # Less than a frame from end to end does no harm, and the mean of few frames is not exact.
    tolerance = max(_RATE_TOLERANCE, 1 / info.num_frames if info.num_frames else 0)
    return info.fps_hz > 0 and abs(info.fps_hz / annotation.fps_hz - 1) > tolerance


def is_other_length(info: VideoInfo, annotation: ClipAnnotation, start: int | None) -> bool:
    """Return whether more frames are missing or too many than rounding explains."""
    allowed = max(1, _LENGTH_TOLERANCE * expected_length(annotation, start))
    return abs(length_difference(info, annotation, start)) > allowed


def length_difference(info: VideoInfo, annotation: ClipAnnotation, start: int | None) -> int:
    """Return how many frames the video has too many; negative if too few, 0 if one cannot tell.

    Args:
        info: its header.
        annotation: of the clip.
        start: as for `check_length`.
    """
    if not info.num_frames or not annotation.num_frames:
        return 0
    difference = info.num_frames - expected_length(annotation, start)
    return difference if start is None else min(difference, 0)


def expected_length(annotation: ClipAnnotation, start: int | None) -> int:
    """Return how many frames a clip's own video has, or the whole one has at least."""
    return (start or 0) + annotation.num_frames


def is_reduced(info: VideoInfo, annotation: ClipAnnotation) -> bool:
    """Return whether the video is small and many boxes lie outside it."""
    is_small = min(info.width, info.height) <= _SMALL_SIDE_PX
    num_boxes = sum(len(track.frames) for track in annotation.tracks)
    has_enough = num_boxes >= _MIN_BOXES
    return is_small and has_enough and share_outside(annotation, info) > _MAX_SHARE_OUTSIDE


def share_outside(annotation: ClipAnnotation, info: VideoInfo) -> float:
    """Return the share of the boxes whose centre lies outside the image; 0 without boxes."""
    boxes = [track.boxes_xywh_px for track in annotation.tracks if len(track.frames)]
    if not boxes:
        return 0.0
    xywh = np.concatenate(boxes)
    centres = xywh[:, :2] + xywh[:, 2:] / 2
    outside = (centres < 0) | (centres > (info.width, info.height))
    return float(outside.any(axis=1).mean())
