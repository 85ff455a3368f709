"""Do a video and the annotations of a clip belong together? The header alone says much."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from common.video import VideoInfo
from gazepose.clip_annotation import ClipAnnotation

_FPS_TOLERANCE = 0.02
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
            f"{path} runs at {info.fps_hz:.4g} frames a second, the annotations of clip "
            f"{annotation.clip_uid} at {annotation.fps_hz:.4g}: their frame numbers do not agree. "
            f"Make it over: ffmpeg -i IN.mp4 -vf fps={annotation.fps_hz:.4g} OUT.mp4"
        )
    if is_reduced(info, annotation):
        raise ValueError(
            f"{path} is {info.width} x {info.height}, and {share_outside(annotation, info):.0%} "
            f"of the boxes of clip {annotation.clip_uid} lie outside: the boxes are full-scale "
            "pixels, the video looks like one of video_540ss. Download clips or full_scale, or "
            "give data.reader.annotations_dir=.../annotations_540ss"
        )


def is_other_rate(info: VideoInfo, annotation: ClipAnnotation) -> bool:
    """Return whether the header's frame rate, where it says one, is not the annotations'."""
    return info.fps_hz > 0 and abs(info.fps_hz / annotation.fps_hz - 1) > _FPS_TOLERANCE


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
