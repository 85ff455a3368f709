"""What became of the photos and videos of a source, counted by reason."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of a photo or a video."""

    FACES = "with faces"
    NO_FACE = "without a face"
    INCOMPLETE = "incomplete"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    NOT_WRITTEN = "not written"


NO_FACE = "no face found"
# Of these something was seen.
USED = (Outcome.FACES, Outcome.NO_FACE, Outcome.INCOMPLETE)


class Annotated(NamedTuple):
    """What was made of photos or videos.

    Attributes:
        said: what was found, as a person reads it.
        outcomes: how many of each.
    """

    said: str
    outcomes: Counter[Outcome]


class NotWrittenError(Exception):
    """A file that could not be written; its message says which and why."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell failures to write a file from those of making what it would hold.

    Raises:
        NotWrittenError: If the disk is full, the folder not ours, or the like.
    """
    try:
        yield
    except OSError as error:
        raise NotWrittenError(f"{path} was not written: {error.strerror or error}") from error


def counts(outcomes: Counter[Outcome]) -> str:
    """Return how many came to what, e.g. ``3 with faces, 1 unreadable``."""
    return ", ".join(f"{outcomes[kind]} {kind}" for kind in Outcome if outcomes[kind])
