"""Eye-contact stores of any size for benchmarks: right in form, random in content."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from common.media.image_codec import encode_image
from common.store.reading import GroupPaths
from common.store.writing import GroupWriter, claim_store
from gazepose.store.columns import HEAD_POSE_COLUMNS, SCHEMA
from gazepose.store.writing import write_frames

NUM_TRACKS = 3
PLACE = ("offset", "num_bytes", "crc32")


def write_store(
    store_dir: Path, num_clips: int, num_frames: int, images: Sequence[bytes] | None = None
) -> None:
    """Write a store with images: three quarters of the clips for training, the rest for val.

    Args:
        store_dir: where to.
        num_clips: number of clips, at least 2.
        num_frames: of each clip, over all its tracks.
        images: JPEGs to take from at random; without them, a hundred of `smooth_jpeg`.
    """
    generator = np.random.default_rng(0)
    images = images or [smooth_jpeg(generator) for _ in range(100)]
    claim_store(store_dir, {"data": "bench", "reader": "bench"})
    for clip in range(num_clips):
        table = random_rows(generator, clip, num_clips, num_frames)
        with GroupWriter(store_dir, f"clip{clip:04d}") as writer:
            for row in table.drop("group_name", *PLACE).iter_rows(named=True):
                writer.add(images[generator.integers(len(images))], row)
    write_frames(store_dir, 1)


def write_one_image_store(store_dir: Path, num_clips: int, num_frames: int) -> None:
    """Write a store in which all rows of a clip have one image: a large table, little disk."""
    generator = np.random.default_rng(0)
    image = smooth_jpeg(generator)
    place = {"offset": 0, "num_bytes": len(image), "crc32": zlib.crc32(image)}
    claim_store(store_dir, {"data": "bench", "reader": "bench"})
    for clip in range(num_clips):
        paths = GroupPaths(store_dir, f"clip{clip:04d}")
        for path in (paths.table, paths.pack):
            path.parent.mkdir(exist_ok=True)
        rows = random_rows(generator, clip, num_clips, num_frames).with_columns(
            pl.lit(value).alias(name) for name, value in place.items()
        )
        rows.write_parquet(paths.table)
        paths.pack.write_bytes(image)
    write_frames(store_dir, 1)


def random_rows(
    generator: np.random.Generator, clip: int, num_clips: int, num_frames: int
) -> pl.DataFrame:
    """Return a clip's rows with every prior known."""
    per_track = num_frames // NUM_TRACKS
    index = np.tile(np.arange(per_track), NUM_TRACKS)
    tracks = [f"track_{clip}_{track}" for track in range(NUM_TRACKS)]
    num = len(index)
    columns: dict[str, object] = {
        name: generator.random(num) if kind == pl.Float64 else np.zeros(num)
        for name, kind in SCHEMA.items()
    }
    columns |= {name: generator.uniform(-60, 60, num) for name in HEAD_POSE_COLUMNS}
    columns |= {
        "group_name": f"clip{clip:04d}",
        "part": "train" if clip < 0.75 * num_clips else "val",
        "track_id": np.repeat(tracks, per_track),
        "person_id": "1",
        "unique_id": "",
        "frame": index,
        "track_index": index,
        "label": (generator.random(num) < 0.1).astype(int),
        "head_pose_source": "mesh",
        "landmark_source": "mesh",
    }
    return pl.DataFrame(columns)


def smooth_jpeg(generator: np.random.Generator) -> bytes:
    """Return a JPEG of 224 x 224 pixels and about as many bytes as a face's."""
    coarse = generator.uniform(0, 255, (14, 14, 3)).astype(np.float32)
    image = cv2.resize(coarse, (224, 224), interpolation=cv2.INTER_CUBIC)
    noisy = image + generator.normal(0, 1, image.shape)
    return encode_image(np.clip(noisy, 0, 255).astype(np.uint8), "jpeg", 90)
