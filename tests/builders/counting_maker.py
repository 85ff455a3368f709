"""A maker of one-image groups that counts what it makes; a module of its own, for processes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.seeded_store import image
from common.media.image_codec import encode_image
from common.preprocessing.share import Share, make_share
from common.store.writing import GroupWriter, worked_at

GROUPS = ["a", "b", "c", "d"]


@dataclass(frozen=True)
class CountingMaker:
    """Takes a while over every group, and leaves a file for each time."""

    store_dir: Path
    counted_dir: Path

    def count(self, group: str) -> int:
        return 1

    def fingerprint(self, group: str) -> str:
        return "as ever"

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        self.counted_dir.mkdir(exist_ok=True)
        (self.counted_dir / f"{group} {time.monotonic_ns()}").touch()
        with GroupWriter(self.store_dir, group, "as ever") as writer:
            time.sleep(0.02)
            writer.add(encode_image(image(GROUPS.index(group)), "png", 0), {"group": group})
        on_item()
        return None


def counting_share(folder: Path) -> Share:
    maker = CountingMaker(folder / "store", folder / "counted")
    return Share(folder / "store", maker, {"data": "x"}, GROUPS, (0, 1))


def make_store(folder: Path, both: Any, num_workers: int, repairs: bool) -> None:
    """Make the store when everybody is there; what a process of its own does."""
    both.wait()
    with worked_at(folder / "store"):
        make_share(counting_share(folder), num_workers, unit="item", repairs=repairs)


def times_made(folder: Path) -> list[str]:
    return sorted(path.name.split()[0] for path in (folder / "counted").iterdir())
