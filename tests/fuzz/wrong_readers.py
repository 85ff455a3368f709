"""Readers that do what no reader may, to see that it is noticed."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from fuzz.target import Target

SOUND = b"sound"


def _make(folder: Path) -> list[Path]:
    (folder / "file.txt").write_bytes(SOUND)
    return [folder / "file.txt"]


def _unless_sound(does_wrong: Callable[[bytes], object]) -> Callable[[Path], object]:
    def read(path: Path) -> None:
        content = path.read_bytes()
        if content != SOUND:
            does_wrong(content)

    return read


def _refuse_without_a_name(content: bytes) -> None:
    raise ValueError("damaged")


def _raise_at_an_x(content: bytes) -> None:
    if b"x" in content:
        raise KeyError("x")


def _refuse(path: Path) -> None:
    if path.read_bytes() != SOUND:
        raise ValueError(f"{path} is damaged")


TARGETS = [
    Target("refuses", _make, _refuse),
    Target("without_name", _make, _unless_sound(_refuse_without_a_name)),
    Target("raises", _make, _unless_sound(_raise_at_an_x)),
    Target("exits", _make, _unless_sound(lambda content: os._exit(3))),
    Target("hangs", _make, _unless_sound(lambda content: time.sleep(60)), max_seconds=0.5),
    Target("swells", _make, _unless_sound(lambda content: bytearray(1 << 30)), max_bytes=1 << 28),
]
