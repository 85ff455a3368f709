"""A short video from a camera of this machine."""

import logging
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import cv2

from common.arrays import Image
from common.media.video_writer import write_video

LOG = logging.getLogger(__name__)


def record_camera(number: int, path: Path, duration_s: float) -> Path:
    """Record a camera into an .mp4 until the time is over or Ctrl-C is pressed; return its path.

    Every moment of `1 / fps` seconds gets the newest picture, so that the video runs at the
    speed of life however slow the camera is in the dark. Cameras have OpenCV's numbers, from 0.

    Raises:
        ValueError: If there is no such camera, or it gives no picture.
    """
    camera = cv2.VideoCapture(number)
    try:
        fps_hz = _frame_rate(camera)
        first = next(_pictures(camera), None) if camera.isOpened() else None
        if first is None:
            raise ValueError(
                f"source={number}: no camera of that number gives a picture; "
                "give another number, or the path of a photo or video"
            )
        LOG.info("camera %d: recording %.0f s; Ctrl-C ends it earlier", number, duration_s)
        pictures = chain([first], _pictures(camera))
        write_video(path, _at_even_times(pictures, fps_hz, duration_s), float(fps_hz))
    finally:
        camera.release()
    return path


def _frame_rate(camera: Any) -> Fraction:
    """Return what the camera says, or 30 Hz: many say 0."""
    told = float(camera.get(cv2.CAP_PROP_FPS))
    return Fraction(told if 1 <= told <= 240 else 30).limit_denominator(1001)


def _pictures(camera: Any) -> Iterator[Image]:
    while True:
        is_there, picture = camera.read()
        if not is_there:
            return
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _at_even_times(
    pictures: Iterator[Image], fps_hz: Fraction, duration_s: float
) -> Iterator[Image]:
    start_s = time.monotonic()
    num_frames = 0
    try:
        for picture in pictures:
            passed_s = time.monotonic() - start_s
            while num_frames <= min(passed_s, duration_s) * fps_hz:
                yield picture
                num_frames += 1
            if passed_s >= duration_s:
                return
    except KeyboardInterrupt:
        LOG.info("recording ended after %.1f s", num_frames / fps_hz)
