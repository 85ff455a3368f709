"""What a reader brings to be tried with mutated inputs."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Target:
    """One reader and the sound files whose mutations it is given.

    Every input is one mutated file in a fresh copy of the seeds' folder.

    Attributes:
        name: Of the reader; also the folder of its kept inputs.
        make_seeds: Writes a small sound folder and returns the files of it to mutate, in an order
            that is always the same. The folder is empty and exists.
        read: Reads, to the end, what the mutated file is part of. May raise ValueError only, with
            the file's name in it; whatever is skipped (and counted) returns.
        max_bytes: Address space a read may take beyond what the process has when it starts.
        max_seconds: A read that takes longer hangs.
    """

    name: str
    make_seeds: Callable[[Path], list[Path]]
    read: Callable[[Path], object]
    max_bytes: int = 1 << 30
    max_seconds: float = 20.0


def read_groups(reader: Any) -> None:
    """Do with a data set what preprocessing does; a group that is damaged is listed there.

    Args:
        reader: a `RawReader` of either line; one that has a doctor is asked first.
    """
    if hasattr(reader, "doctor"):
        reader.doctor()
    for group in reader.groups():
        with suppress(ValueError):
            reader.count(group)
            reader.fingerprint(group)
            for _ in reader.read(group):
                pass
