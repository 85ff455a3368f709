"""Clips a second of the eye-contact loader, against the original's.

Without a store it makes one of smooth 224 x 224 JPEGs of about 8 kB, in a temporary folder::

    python benchmarks/bench_lam_loader.py
    python benchmarks/bench_lam_loader.py --store data/stores/demo_lam
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from checksum_cost import describe_checksums
from lam_store import smooth_jpeg, write_store

from common.media.image_codec import decode_image
from common.media.photometric import PhotometricAugmentation
from gazepose.batch import NUM_FRAMES
from gazepose.data.datamodule import LamDataModule

# Facts of the original: its data set's __getitem__ alone, warm cache, one core, the data read.
ORIGINAL_TRAIN, ORIGINAL_EVAL = 120, 290


class Loader(NamedTuple):
    """One of the loaders measured.

    Attributes:
        what: its name in the table.
        part: whose loader it is.
        settings: of the data module.
        original: clips a second and core of the original.
    """

    what: str
    part: str
    settings: dict[str, Any]
    original: int


_LOOKS = {"photometric": PhotometricAugmentation()}
_FULL = {**_LOOKS, "max_shift": 0.05, "max_zoom": 0.1, "least_width_px": 48}
LOADERS = (
    Loader("training", "train", {}, ORIGINAL_TRAIN),
    Loader("training, augmentation=photometric", "train", _LOOKS, ORIGINAL_TRAIN),
    Loader("training, augmentation=full", "train", _FULL, ORIGINAL_TRAIN),
    Loader("training, frames of 112", "train", {"image_size": 112}, ORIGINAL_TRAIN),
    # A stride of 7: no clip shares a frame with the one before.
    Loader("validation", "val", {"val_stride": 7}, ORIGINAL_EVAL),
    Loader("every frame", "test", {"val_stride": 1, "dense": False}, ORIGINAL_EVAL),
    Loader("every frame, in stretches", "test", {"val_stride": 1}, ORIGINAL_EVAL),
)


def main(given: Sequence[str] | None = None) -> None:
    """Print one line a loader."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, help="a face store; one is made without it")
    parser.add_argument("--passes", type=int, default=3, help="timed passes; the best counts")
    parser.add_argument("--clips", type=int, default=8, help="of the store that is made")
    arguments = parser.parse_args(given)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        store_dir = arguments.store or Path(folder)
        if arguments.store is None:
            write_store(store_dir, arguments.clips, num_frames=1500)
        sys.stdout.write(describe_decoding() + "\n")
        for loader in LOADERS:
            for num_workers in (0, 2):
                line = describe(store_dir, loader, num_workers, arguments.passes)
                sys.stdout.write(line + "\n")
        line = describe_checksums(lambda: open_loader(store_dir, LOADERS[0], 0), arguments.passes)
        sys.stdout.write(line + "\n")


def describe(store_dir: Path, loader: Loader, num_workers: int, num_passes: int) -> str:
    """Say how many clips a second a loader gives, by the clock and by the processor."""
    batches = open_loader(store_dir, loader, num_workers)
    rates = np.array([rates_of_pass(batches) for _ in range(num_passes)]).max(0)
    by_processor = f", {rates[1]:,.0f} a second of processor" if num_workers == 0 else ""
    return (
        f"{loader.what}, {num_workers} workers: {rates[0]:,.0f} clips/s{by_processor}; "
        f"the original about {loader.original} a core"
    )


def open_loader(store_dir: Path, loader: Loader, num_workers: int) -> Iterable[Any]:
    """Open a store and return one of its loaders."""
    settings = {"use_head": True, "use_landmarks": True, "dropout": {"kind": "gaussian"}}
    data = LamDataModule(
        "bench", str(store_dir), num_workers=num_workers, **(settings | loader.settings)
    )
    batches: Iterable[Any] = getattr(data, f"{loader.part}_dataloader")()
    return batches


def describe_decoding() -> str:
    """Say how many clips a second there could be if frames were decoded and nothing else done."""
    data, num = smooth_jpeg(np.random.default_rng(0)), 300
    start = time.process_time()
    for _ in range(num * NUM_FRAMES):
        decode_image(data)
    rate = num / (time.process_time() - start)
    return (
        f"decoding {NUM_FRAMES} frames of {len(data):,} bytes: "
        f"{rate:,.0f} clips a second of processor"
    )


def rates_of_pass(batches: Iterable[Any]) -> tuple[float, float]:
    """Return clips a second of one pass by the clock and by this process's processor time."""
    start, start_processor = time.perf_counter(), time.process_time()
    num = sum(len(batch["row"]) for batch in batches)
    return num / (time.perf_counter() - start), num / (time.process_time() - start_processor)


if __name__ == "__main__":
    main()
