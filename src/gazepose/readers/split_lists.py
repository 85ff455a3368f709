"""Which clip belongs to which part: ``split/train.list`` and its like, one clip a line."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from common.files.foreign_files import is_name, read_lines
from common.listing import listed

LOG = logging.getLogger(__name__)

_MAX_SHOWN = 80
# In the annotations, but taken out of the published train.list on 2022-03-20.
REMOVED_UIDS = frozenset(
    {
        "92e0925c-566d-4a67-b93e-3e4b57f9b3ab",
        "e98405ee-0a5b-4df2-bb7e-97729b8b3c11",
        "0232fbc8-c9b1-405c-bd42-a9d773fd4835",
        "6daa9124-d894-42e5-8d98-2e0e6d1191ac",
    }
)


def read_split_list(path: Path) -> list[str]:
    """Read a split list; the clips come in its order.

    Blank lines are passed over and a clip named twice counts once, both with a warning: the
    original fails on the first and trains on the second twice.

    Raises:
        ValueError: If there is no such file, it names no clip, or a line is no clip id or no
            UTF-8.
    """
    if not path.is_file():
        raise ValueError(f"no split list {path}")
    lines = read_lines(path)
    clips = list(dict.fromkeys(filter(None, lines)))
    if not clips:
        raise ValueError(f"{path} names no clip; expected one clip id a line")
    for number, line in enumerate(lines, start=1):
        # Files of the store are called by it.
        if line and not is_name(line):
            raise ValueError(
                f"{path}, line {number}: {line[:_MAX_SHOWN]!r}; expected a clip id, not a path"
            )
    for fault in list_faults(lines):
        LOG.warning("%s: %s", path, fault)
    return clips


def list_faults(lines: Iterable[str]) -> list[str]:
    """Return what is odd about a list's lines, as sentences."""
    counts = Counter(lines)
    num_blank = counts.pop("", 0)
    twice = sorted(line for line, count in counts.items() if count > 1)
    faults = [f"{num_blank} blank lines are passed over"] if num_blank else []
    return faults + ([f"named twice, counted once: {listed(twice)}"] if twice else [])


def rebuilt_list(clips_of_json: Iterable[str]) -> list[str]:
    """Return the published list as it follows from the annotations' clips, in their order."""
    return [clip for clip in clips_of_json if clip not in REMOVED_UIDS]


def check_disjoint(clips_of_part: Mapping[str, Iterable[str]]) -> None:
    """Refuse a clip in two parts: it would be trained on and tested on.

    Raises:
        ValueError: If there is one.
    """
    counts = Counter(clip for clips in clips_of_part.values() for clip in set(clips))
    shared = sorted(clip for clip, count in counts.items() if count > 1)
    if shared:
        raise ValueError(
            f"{len(shared)} clips are in more than one of the lists {list(clips_of_part)}: "
            f"{listed(shared)}. Take each out of all lists but one"
        )
