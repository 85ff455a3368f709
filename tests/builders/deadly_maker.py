"""Makers that kill their process; a module of its own, because new processes import it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NUM_ITEMS = 3


@dataclass(frozen=True)
class DeadlyMaker:
    """Writes a file a group; some groups kill the process in their second item."""

    folder: Path
    deadly: tuple[str, ...]

    def count(self, group: str) -> int:
        return NUM_ITEMS

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        for item in range(NUM_ITEMS):
            if item and group in self.deadly:
                os._exit(9)
            on_item()
        (self.folder / group).touch()
        return None


@dataclass(frozen=True)
class RememberingMaker(DeadlyMaker):
    """Writes into a group's file how many groups it has made before."""

    made: list[str] = field(default_factory=list)

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        (self.folder / group).write_text(str(len(self.made)))
        self.made.append(group)
        return None


class Unloadable(DeadlyMaker):
    """Kills the process that unpickles it, before it begins any group."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)
