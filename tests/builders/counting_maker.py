"""A recipe of one-image groups that counts what it makes; a module of its own, for processes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.seeded_store import image
from common.media.image_codec import encode_image
from common.preprocessing.recipe import GroupReader, StoreRecipe
from common.preprocessing.share import Share, make_share
from common.store.writing import Row, worked_at

GROUPS = ["a", "b", "c", "d"]


@dataclass(frozen=True)
class CountingReader(GroupReader[Row]):
    """Takes a while over every group, and leaves a file for each time."""

    counted_dir: Path
    name = "counting"

    def groups(self) -> list[str]:
        return GROUPS

    def count(self, group: str) -> int:
        return 1

    def fingerprint(self, group: str) -> str:
        return "as ever"

    def read(self, group: str) -> Iterator[Row]:
        self.counted_dir.mkdir(exist_ok=True)
        (self.counted_dir / f"{group} {time.monotonic_ns()}").touch()
        time.sleep(0.02)
        yield encode_image(image(GROUPS.index(group)), "png", 0), {"group": group}


class CountingRecipe(StoreRecipe[Row]):
    def rows(self, group: str, on_item: Callable[[], object]) -> Iterator[Row]:
        yield from self.reader.read(group)
        on_item()


def counting_share(folder: Path) -> Share:
    return Share(CountingRecipe("x", CountingReader(folder / "counted"), folder / "store"), (0, 1))


def make_store(folder: Path, both: Any, num_workers: int, repairs: bool) -> None:
    """Make the store when everybody is there; what a process of its own does."""
    both.wait()
    with worked_at(folder / "store"):
        make_share(counting_share(folder), num_workers, unit="item", repairs=repairs)


def times_made(folder: Path) -> list[str]:
    return sorted(path.name.split()[0] for path in (folder / "counted").iterdir())
