"""Memory of a worker of ``preprocess.py data=videos`` over many short videos; Linux only.

::

    python benchmarks/worker_memory.py --video party.mp4 --clips 500
"""

import argparse
import multiprocessing
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common.preprocessing.pool import make_groups
from gazepose.preprocessing.group import GroupRecipe
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.readers.own_videos import VideosReader


def main(given: Sequence[str] | None = None) -> None:
    """Print what the worker holds after the first clip, and after every tenth of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, required=True, help="the clip, of some frames")
    parser.add_argument("--clips", type=int, default=500, help="how often it is there")
    arguments = parser.parse_args(given)
    held_mib = memory_by_clip(arguments.video, arguments.clips)
    for number in sorted({1, *range(0, arguments.clips + 1, max(1, arguments.clips // 10))} - {0}):
        sys.stdout.write(f"after {number:4d} clips: {held_mib[number - 1]:,.0f} MiB\n")


def memory_by_clip(video: Path, num_clips: int) -> list[float]:
    """Return what one worker holds after each of many copies of a video, in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        raw_dir, store_dir = Path(folder) / "raw", Path(folder) / "store"
        raw_dir.mkdir()
        for number in range(num_clips):
            (raw_dir / f"{number:04d}{video.suffix}").symlink_to(video.absolute())
        reader = VideosReader(raw_dir)
        recipe = GroupRecipe("videos", reader, store_dir, PreparationSettings())
        held_mib, others = [], set(multiprocessing.active_children())
        for group, why in make_groups(recipe, reader.groups(), num_workers=1, unit="face"):
            if why is not None:
                raise ValueError(f"{group}: {why}")
            (worker,) = set(multiprocessing.active_children()) - others
            held_mib.append(memory_mib(worker.pid))
        return held_mib


def memory_mib(process: int | None) -> float:
    """Return the physical memory that a process holds now, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    (held_kib,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(held_kib) / 1024


if __name__ == "__main__":
    main()
