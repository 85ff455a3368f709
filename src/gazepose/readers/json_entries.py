"""Entries of lists in annotations: one that is malformed is passed over and noted by its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.files.foreign_files import shown
from common.store.skipped import Skipped
from gazepose.readers.track_boxes import BOX_KEYS

MALFORMED = "a malformed entry of the annotations"


@dataclass
class JsonEntries:
    """Goes through lists of objects.

    Attributes:
        malformed: what was passed over, as ``persons[0].tracking_paths[1].track[2].x is "left"``.
    """

    malformed: list[str] = field(default_factory=list)

    def objects(
        self, parent: Mapping[str, Any], key: str, before: str = ""
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the objects of a member that is a list or null, each with its place.

        `before` is the place of the parent, with what separates it.

        Raises:
            TypeError: If the member is neither.
        """
        entries = parent.get(key)
        if not isinstance(entries, list | None):
            raise TypeError(f"{before}{key} is {shown(entries)}, expected a list or null")
        for number, entry in enumerate(entries or ()):
            place = f"{before}{key}[{number}]"
            if isinstance(entry, dict):
                yield place, entry
            else:
                self.note(place, entry)

    def boxes(
        self, parent: Mapping[str, Any], key: str, before: str = "", needed: Sequence[str] = ()
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield as `objects` those whose `BOX_KEYS` are numbers or null, and which lack no key."""
        for place, box in self.objects(parent, key, before):
            missing = [name for name in needed if name not in box]
            odd = [key for key in BOX_KEYS if not isinstance(box.get(key), int | float | None)]
            if missing:
                self.malformed.append(f"{place} has no {missing[0]!r}")
            elif odd:
                self.note(f"{place}.{odd[0]}", box[odd[0]])
            else:
                yield place, box

    def note(self, place: str, found: Any) -> None:
        """Note that something else was found in a place."""
        self.malformed.append(f"{place} is {shown(found)}")


def malformed_entries(clip_uid: str, track_id: str, malformed: Sequence[str]) -> list[Skipped]:
    """Return what `JsonEntries` noted as entries of the report."""
    names = (f"{clip_uid}:{track_id}:{found}" for found in malformed)
    return [Skipped(name, track_id, clip_uid, MALFORMED) for name in names]


def id_text(value: Any) -> str | None:
    """Return the id of a person as text, empty for null; None if it is none."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int) else None
