"""A clip's frames as images: ``video_imgs/<clip>/img_00001.jpg``, in place of its video.

``scripts/extract_frame.sh`` of the Ego4D baseline writes them; it counts from 1.
"""

import os
import re
from pathlib import Path

from common.media.photo import read_photo
from common.media.video import VideoInfo, video_info

_NAME = re.compile(r"img_([0-9]{5,9})\.jpg")


def frame_image(folder: Path, frame: int) -> Path:
    """Return where the image of a frame (0-based) lies."""
    return folder / f"img_{frame + 1:05d}.jpg"


def picture_info(path: Path) -> VideoInfo:
    """Return what a video's header says, or a folder of its frames, which tells no rate.

    Raises:
        ValueError: If the video cannot be opened, or the folder holds no frame, or a damaged one.
    """
    if not path.is_dir():
        return video_info(path)
    numbers = [int(match[1]) for name in os.listdir(path) if (match := _NAME.fullmatch(name))]
    if not numbers:
        raise ValueError(f"{path} holds no image img_00001.jpg, as extract_frame.sh calls them")
    first = frame_image(path, min(numbers) - 1)
    try:
        image = read_photo(first).image
    except ValueError as error:
        raise ValueError(f"{first}: {error}") from error
    return VideoInfo(max(numbers), 0.0, image.shape[1], image.shape[0])


def picture_size(path: Path) -> int:
    """Return a video's bytes, or how many files a folder of frames holds."""
    return len(os.listdir(path)) if path.is_dir() else path.stat().st_size


def image_names(folder: Path) -> list[str]:
    """Return the files in a folder's sub-folders, as ``track/name``.

    Names alone: every run asks for them, and a network drive takes hours to tell the sizes of
    millions of files. A copy of the folder has other times, and would be another one by them.
    """
    with os.scandir(folder) as entries:
        tracks = [entry.name for entry in entries if entry.is_dir()]
    return sorted(f"{track}/{name}" for track in tracks for name in os.listdir(folder / track))
