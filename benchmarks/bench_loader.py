"""Loader speed and bytes on disk, against the original's.

Run after ``python preprocess.py data=demo_gaze`` (or name another store)::

    python benchmarks/bench_loader.py --store data/stores/demo_gaze
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from checksum_cost import describe_checksums
from peak_memory import peak_memory_mib

from common.media.photometric import PhotometricAugmentation
from common.store.reading import FaceStore
from flame.data.augmentation import EyeAugmentation
from flame.data.datamodule import GazeDataModule

# Facts of the original: one heatmap file a sample, its loader from a warm cache.
ORIGINAL_BYTES_A_SAMPLE = 38_707_328
ORIGINAL_SAMPLES_PER_S = 100


def main(given: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=Path("data/stores/demo_gaze"))
    parser.add_argument("--passes", type=int, default=3, help="timed passes over the train part")
    arguments = parser.parse_args(given)
    if not arguments.store.is_dir():
        parser.error(
            f"no face store {arguments.store}: type python preprocess.py data=demo_gaze first, "
            "or name another one with --store"
        )
    lines = [describe_size(arguments.store)]
    lines += [describe_speed(arguments.store, workers, arguments.passes) for workers in (0, 2)]
    lines.append(describe_augmentation(arguments.store, arguments.passes))
    lines.append(describe_checksums(lambda: train_loader(arguments.store, 0), arguments.passes))
    lines.append(f"peak memory of this process, its workers not: {peak_memory_mib():.0f} MiB")
    sys.stdout.write("\n".join(lines) + "\n")


def describe_size(store_dir: Path) -> str:
    """Say what a sample takes on disk: image, landmarks, labels."""
    num_bytes = sum(path.stat().st_size for path in store_dir.rglob("*") if path.is_file())
    per_sample = num_bytes / len(FaceStore(store_dir))
    ratio = ORIGINAL_BYTES_A_SAMPLE / per_sample
    return (
        f"bytes a sample on disk: {per_sample:,.0f}; the original's heatmap file alone "
        f"{ORIGINAL_BYTES_A_SAMPLE:,} ({ratio:,.0f} times)"
    )


def describe_speed(store_dir: Path, num_workers: int, num_passes: int) -> str:
    """Say how many samples a second the train loader gives, the best pass of several."""
    loader = train_loader(store_dir, num_workers)
    rates = [count_samples(loader) for _ in range(num_passes)]
    return (
        f"loader with {num_workers} workers: {max(rates):,.0f} samples/s "
        f"({', '.join(f'{rate:,.0f}' for rate in rates)}); "
        f"the original about {ORIGINAL_SAMPLES_PER_S} from a warm cache"
    )


def describe_augmentation(store_dir: Path, num_passes: int) -> str:
    """Say how many samples a second there are with each choice of ``augmentation``, and the ratio.

    Passes take turns, as a machine's speed drifts.
    """
    looks = {"photometric": PhotometricAugmentation()}
    moves = EyeAugmentation(mirror=True, max_shift_px=4, max_zoom=0.1)
    settings = {"none": {}, "photometric": looks, "full": {**looks, "augmentation": moves}}
    loaders = {name: train_loader(store_dir, 0, **chosen) for name, chosen in settings.items()}
    passes = [
        {name: count_samples(one) for name, one in loaders.items()} for _ in range(num_passes)
    ]
    best = {name: max(rates[name] for rates in passes) for name in loaders}
    said = (f"{name} {rate:,.0f} ({rate / best['none']:.2f})" for name, rate in best.items())
    return f"augmentation, samples/s with 0 workers: {', '.join(said)}"


def train_loader(store_dir: Path, num_workers: int, **settings: Any) -> Iterable[Any]:
    """Open a store and return its train loader."""
    sizes = {"num_workers": num_workers, "batch_size": 16}
    return GazeDataModule(
        "bench", str(store_dir), "cross_person", **sizes, **settings
    ).train_dataloader()


def count_samples(loader: Iterable[Any]) -> float:
    """Return samples a second of one pass; starting workers counts."""
    start = time.perf_counter()
    num = sum(len(batch["row"]) for batch in loader)
    return num / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
