"""A small eye-contact store: frames that tell by their colour who and when they are."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from common.media.image_codec import encode_image
from common.store.writing import GroupWriter, claim_store
from gazepose.store.columns import BOX_COLUMNS, HEAD_POSE_COLUMNS, POINT_COLUMNS
from gazepose.store.writing import write_frames

POSITIVE, NEGATIVE = 220, 60
RECIPE = {"data": "small_lam", "reader": "small_lam"}

Row = dict[str, Any]


def write_small_lam(
    store_dir: Path,
    *,
    clips: Mapping[str, int] | None = None,
    num_tracks: int = 2,
    num_frames: int = 12,
    size: int = 32,
) -> None:
    """Write clips "train0", "train1", "val0", ... of `num_tracks` tracks of `num_frames` frames.

    A third of the frames look at the camera; their green is bright, so that a net can learn it.

    Args:
        store_dir: where to.
        clips: how many clips of each part; by default 2 of train and 1 of val.
        num_tracks: of each clip.
        num_frames: of each track, from frame 10 on.
        size: side of the images.
    """
    generator = np.random.default_rng(0)
    for part, num_clips in ({"train": 2, "val": 1} if clips is None else clips).items():
        for number in range(num_clips):
            rows = [
                small_row(generator, part, f"track{track}", 10 + index, index)
                for track in range(num_tracks)
                for index in range(num_frames)
            ]
            write_clip(store_dir, f"{part}{number}", rows, size)
    finish_store(store_dir)


def write_clip(store_dir: Path, group: str, rows: Iterable[Row], size: int = 32) -> None:
    """Write one group; rows with ``image=False`` have none, ``image`` may also be the pixels."""
    with GroupWriter(store_dir, group) as writer:
        for row in rows:
            image = row.pop("image", True)
            pixels = frame_image(row, size) if image is True else image
            writer.add(b"" if image is False else encode_image(pixels, "png", 0), row)


def finish_store(store_dir: Path) -> None:
    """Write what a preprocessing run ends with."""
    claim_store(store_dir, RECIPE)
    write_frames(store_dir, 1)


def frame_image(row: Row, size: int) -> np.ndarray:
    """One colour: red is the frame number, green the label, blue the track's number."""
    green = POSITIVE if row["label"] == 1 else NEGATIVE
    blue = 1 + int(str(row["track_id"]).removeprefix("track"))
    return np.full((size, size, 3), (row["frame"] % 256, green, blue), np.uint8)


def small_row(
    generator: np.random.Generator, part: str, track_id: str, frame: int, index: int, **changes: Any
) -> Row:
    """A row as preprocessing writes it, every prior known."""
    row = {
        "part": part,
        "track_id": track_id,
        "person_id": "1",
        "unique_id": "",
        "frame": frame,
        "track_index": index,
        "label": -1 if part == "test" else int(generator.random() < 1 / 3),
        **dict(zip(BOX_COLUMNS, (10.0 + frame, 20.0, 70.0 + frame, 90.0), strict=True)),
        "is_interpolated": False,
        **dict(zip(HEAD_POSE_COLUMNS, generator.uniform(-80, 80, 3).tolist(), strict=True)),
        "head_pose_source": "mesh",
        **dict(zip(POINT_COLUMNS, small_points(generator).reshape(-1).tolist(), strict=True)),
        "landmark_source": "mesh",
        "sharpness": float(generator.uniform(10, 100)),
        "prior_sharpness_p": float(generator.random()),
        "is_filtered": False,
    }
    return row | changes


def without_points() -> Row:
    """Changes of a row in which no landmarks were found."""
    return {**dict.fromkeys(POINT_COLUMNS, math.nan), "landmark_source": None}


def without_head_pose() -> Row:
    """Changes of a row whose head pose is unknown."""
    return {**dict.fromkeys(HEAD_POSE_COLUMNS, math.nan), "head_pose_source": None}


def small_points(generator: np.random.Generator) -> np.ndarray:
    """(5, 3) points of a face that fills its crop, jittered."""
    xy = np.array([[0.5, 0.55], [0.65, 0.4], [0.35, 0.4], [0.6, 0.75], [0.4, 0.75]])
    jittered = xy + generator.normal(0, 0.02, (5, 2))
    return np.column_stack([jittered, generator.uniform(0.5, 1, 5)])
