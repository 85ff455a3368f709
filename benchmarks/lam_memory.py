"""Memory of the eye-contact data module for millions of frames, in a process of its own.

::

    python benchmarks/lam_memory.py
    python benchmarks/lam_memory.py --frames 300000
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peak_memory import peak_memory_mib

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

CLIPS = 600
AFTER_BATCHES = (10, 50, 150)
# Fact of the original: its train data set of 300,000 frames takes 808 MiB.
ORIGINAL_BYTES_A_FRAME = 2_825


def main(given: Sequence[str] | None = None) -> None:
    """Write a store, then measure in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=3_000_000)
    parser.add_argument("--store", type=Path, help="measure this store; for the second process")
    arguments = parser.parse_args(given)
    if arguments.store is not None:
        sys.stdout.write(measured(arguments.store) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        # Written by a process of its own: what it held would count as this one's.
        code = (
            "from pathlib import Path; from lam_store import write_one_image_store; "
            f"write_one_image_store(Path({folder!r}), {CLIPS}, {arguments.frames // CLIPS})"
        )
        for command in (["-c", code], [__file__, "--store", folder]):
            subprocess.run([sys.executable, *command], check=True, cwd=Path(__file__).parent)


def measured(store_dir: Path) -> str:
    """Read the table, open the loaders, draw an epoch's order; say what all that holds."""
    from gazepose.data.datamodule import LamDataModule
    from gazepose.data.windows import window_rows

    before = memory_mib()
    start = time.perf_counter()
    data = LamDataModule(
        "bench",
        str(store_dir),
        use_head=True,
        use_landmarks=True,
        dropout={"kind": "gaussian"},
        num_workers=2,
    )
    seconds = time.perf_counter() - start
    num_frames = len(data.table)
    read_mib, read_peak_mib = memory_mib(), peak_memory_mib()
    num_clips = sum(1 for _ in data.train_dataloader().batch_sampler.sampler)
    num_windows = len(window_rows(data.table, data.test_rows()))
    data.class_weights(), data.fingerprint()
    growth = worker_memory_mib(data.train_dataloader())
    return "\n".join(
        [
            f"{num_frames:,} frames, {num_clips:,} training clips, {num_windows:,} to validate; "
            f"read in {seconds:.1f} s",
            f"after imports {before:,.0f} MiB",
            f"table read {read_mib:,.0f} MiB, peak {read_peak_mib:,.0f} MiB",
            f"order, all windows, fingerprint, loading: peak of all {peak_memory_mib():,.0f} MiB",
            "a worker's own memory, what it shares not: "
            + ", ".join(f"{mib:,.0f} MiB after {num} batches" for num, mib in growth.items()),
            f"bytes a frame: arrays {array_bytes(data.table) / num_frames:,.0f}, memory "
            f"{(memory_mib() - before) * 2**20 / num_frames:,.0f}; the original about "
            f"{ORIGINAL_BYTES_A_FRAME:,}",
        ]
    )


def worker_memory_mib(loader: DataLoader[Any]) -> dict[int, float]:
    """Return what the first worker holds for itself alone, by batches given so far."""
    held = {}
    batches = iter(loader)
    for number in range(1, max(AFTER_BATCHES) + 1):
        next(batches)
        if number in AFTER_BATCHES:
            held[number] = private_memory_mib(batches._workers[0].pid)
    return held


def private_memory_mib(process: int) -> float:
    """Return a process's memory that no other one shares, in MiB; Linux only."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"Private_\w+:\s+(\d+) kB", rollup)) / 1024


def array_bytes(holder: object) -> int:
    """Return the bytes of an object's arrays."""
    return sum(getattr(value, "nbytes", 0) for value in vars(holder).values())


def memory_mib() -> float:
    """Return the physical memory that this process holds now, in MiB; Linux only."""
    status = Path("/proc/self/status").read_text()
    (held_kib,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(held_kib) / 1024


if __name__ == "__main__":
    main()
