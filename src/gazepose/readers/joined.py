"""One data set of several readers: each reads its own groups."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from common.preprocessing.findings import Finding, Severity
from common.store.skipped import Skipped
from gazepose.readers.sample import RawFace, RawReader
from gazepose.readers.split_lists import check_disjoint


class JoinedReader(RawReader):
    """Reads a data set of which several readers read a share each.

    Attributes:
        raw_dir: the folder.
        parts: which of train, val and test.
    """

    raw_dir: Path
    parts: tuple[str, ...]

    @property
    @abstractmethod
    def _readers(self) -> Sequence[RawReader]:
        """Return the readers, in the order of their groups; the raw data may be looked at."""

    @property
    def _severity_of_no_test(self) -> Severity:
        """Return how bad it is that there is no test part: an error where it is all."""
        return "error" if set(self.parts) == {"test"} else "note"

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a row depends on, as plain values."""
        return {name: value for reader in self._readers for name, value in reader.settings.items()}

    def groups(self) -> list[str]:
        """Return all groups, reader by reader.

        Raises:
            ValueError: As the readers', if two have a group of one name, or if there is none.
        """
        return list(self._reader_of)

    def count(self, group: str) -> int:
        """Return about how many rows a group has."""
        return self._reader_of[group].count(group)

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the group's rows, track by track; errors as its reader's."""
        return self._reader_of[group].read(group)

    def fingerprint(self, group: str) -> str | None:
        """Return what the group's rows depend on; errors as its reader's."""
        return self._reader_of[group].fingerprint(group)

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without decoding the videos."""
        return [finding for reader in self._readers for finding in reader.doctor()]

    @cached_property
    def _reader_of(self) -> dict[str, RawReader]:
        groups = {reader.name: reader.groups() for reader in self._readers}
        check_disjoint(groups)
        if not any(groups.values()):
            raise ValueError(f"{self.raw_dir} holds nothing of the parts {list(self.parts)}")
        return {group: reader for reader in self._readers for group in groups[reader.name]}
