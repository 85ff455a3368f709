"""Do a video and the annotations of a clip belong together? The header alone says much."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from common.media.video import VideoInfo
from gazepose.readers.ego4d.annotation import ClipAnnotation
from gazepose.readers.ego4d.files import USE_FULL_SCALE

# A header's rate is a mean; this is a frame or two in five minutes.
_RATE_TOLERANCE = 2e-4
_LENGTH_TOLERANCE = 1e-3
_SMALL_SIDE_PX = 540
_MAX_SHARE_OUTSIDE = 0.35
# Fewer prove nothing.
_MIN_BOXES = 20
_REFUSED = {
    "other_rate": "their frame numbers do not agree. Make it over: ffmpeg -i IN.mp4 -vf "
    "fps={fps_hz:.6g} OUT.mp4",
    "reduced_video": "the boxes are full-scale pixels, the video looks like one of video_540ss: "
    f"{USE_FULL_SCALE}",
    "other_length": "their frame numbers may not agree. Download it again; if it is as published, "
    "data.reader.check_length=false (of data=ego4d) takes it",
}


def check_video(
    path: Path,
    info: VideoInfo,
    annotation: ClipAnnotation,
    start: int | None,
    *,
    check_length: bool = True,
) -> None:
    """Refuse a video that the annotations cannot be of; `start` is as for `video_cases`.

    Raises:
        ValueError: If it runs at another frame rate, so that frame numbers mean other moments, is
            a reduced copy, so that boxes mean other places, or, where `check_length` asks for it,
            its length differs by more than rounding explains: frames may be missing at its front.
    """
    for kind, figures in video_cases(info, annotation, start):
        if kind in _REFUSED and (check_length or kind != "other_length"):
            raise ValueError(
                f"{path} does not fit the annotations of clip {annotation.clip_uid}: {figures}; "
                f"{_REFUSED[kind].format(fps_hz=annotation.fps_hz)}"
            )


def video_cases(
    info: VideoInfo, annotation: ClipAnnotation, start: int | None
) -> Iterator[tuple[str, str]]:
    """Yield what is odd about a clip's video: its kind, of `survey.WORDINGS`, and figures.

    `start` is the clip's frame 0 in the video, if that is a whole recording, which may go on;
    None for a file of the clip alone.
    """
    # Less than a frame from end to end does no harm, and the mean of few frames is not exact.
    tolerance = max(_RATE_TOLERANCE, 1 / info.num_frames if info.num_frames else 0)
    if info.fps_hz > 0 and abs(info.fps_hz / annotation.fps_hz - 1) > tolerance:
        yield "other_rate", f"{info.fps_hz:.6g} Hz, annotated {annotation.fps_hz:.6g}"
    if min(info.width, info.height) <= _SMALL_SIDE_PX:
        share = _share_outside(annotation, info)
        if share > _MAX_SHARE_OUTSIDE:
            yield "reduced_video", f"{info.width} x {info.height}, {share:.0%} of the boxes outside"
    yield from _length_cases(info, annotation, start)
    if info.num_beyond_end:
        yield "cut_video", f"{info.num_beyond_end} of {info.num_frames} frames"
    elif info.num_missing_bytes:
        yield "cut_video", f"{info.num_missing_bytes} bytes"
    frames = [track.frames.max() for track in annotation.tracks if len(track.frames)]
    last = (start or 0) + max(frames, default=-1)
    if 0 < info.num_frames <= last:
        yield "short_video", f"{info.num_frames} frames, boxes up to {last}"


def _length_cases(
    info: VideoInfo, annotation: ClipAnnotation, start: int | None
) -> Iterator[tuple[str, str]]:
    if not (info.num_frames and annotation.num_frames):
        return
    expected = (start or 0) + annotation.num_frames
    excess = info.num_frames - expected
    difference = abs(excess if start is None else min(excess, 0))
    figures = f"{info.num_frames} frames, annotated {expected}"
    if difference > max(1, _LENGTH_TOLERANCE * expected):
        yield "other_length", figures
    # One is rounding.
    elif difference > 1:
        yield "odd_length", figures


def _share_outside(annotation: ClipAnnotation, info: VideoInfo) -> float:
    """Return the share of the boxes whose centre lies outside the image; 0 of few boxes."""
    boxes = [track.boxes_xywh_px for track in annotation.tracks]
    if sum(map(len, boxes)) < _MIN_BOXES:
        return 0.0
    xywh = np.concatenate(boxes)
    centres = xywh[:, :2] + xywh[:, 2:] / 2
    outside = (centres < 0) | (centres > (info.width, info.height))
    return float(outside.any(axis=1).mean())
