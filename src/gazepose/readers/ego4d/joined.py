"""A data set of train, val and test: annotated clips, and the tree of the challenge beside them."""

import logging
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from common.preprocessing.findings import Finding, Severity
from common.store.skipped import Skipped
from gazepose.readers.ego4d.files import download_command
from gazepose.readers.sample import RawFace, RawReader
from gazepose.readers.split_lists import check_disjoint
from gazepose.readers.videos_challenge import PART as TEST
from gazepose.readers.videos_challenge import VideosChallengeReader, find_challenge_dir

LOG = logging.getLogger(__name__)
PARTS = ("train", "val", TEST)


class JoinedReader(RawReader):
    """Reads train and val by one reader, and test by another, each with its own groups.

    There is a part test only where the challenge's tree is.

    Raises:
        ValueError: If a part has no such name, or there is none.
    """

    def __init__(self, raw_dir: Path, parts: Sequence[str]) -> None:
        if not parts or not set(parts) <= set(PARTS):
            raise ValueError(f"data.reader.parts is {list(parts)}, expected some of {PARTS}")
        self.raw_dir = raw_dir
        self.parts = tuple(parts)

    @property
    def annotated_parts(self) -> tuple[str, ...]:
        """Return those of train and val that are wanted."""
        return tuple(part for part in self.parts if part != TEST)

    @property
    @abstractmethod
    def _annotated(self) -> RawReader:
        """Return the reader of train and val; the raw data may be looked at."""

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
        findings = [finding for reader in self._readers for finding in reader.doctor()]
        if TEST in self.parts and len(self._readers) == 1:
            severity: Severity = "note" if self.annotated_parts else "error"
            what = f"{TEST}: no videos_challenge, or it is still packed"
            command = download_command(self.raw_dir, "social_test")
            remedy = f"for a submission: {command}, and unpack it"
            findings.append(Finding(severity, what, str(self.raw_dir), remedy))
        return findings

    def _challenge(self) -> VideosChallengeReader:
        """Return the reader of test; ValueError if there is no such tree."""
        return VideosChallengeReader(find_challenge_dir(self.raw_dir))

    @cached_property
    def _readers(self) -> Sequence[RawReader]:
        if TEST not in self.parts:
            return [self._annotated]
        try:
            return [self._annotated, self._challenge()]
        except ValueError as error:
            LOG.info("no test part: %s", error)
            return [self._annotated]

    @cached_property
    def _reader_of(self) -> dict[str, RawReader]:
        groups = {reader.name: reader.groups() for reader in self._readers}
        check_disjoint(groups)
        if not any(groups.values()):
            raise ValueError(f"{self.raw_dir} holds nothing of the parts {list(self.parts)}")
        return {group: reader for reader in self._readers for group in groups[reader.name]}
