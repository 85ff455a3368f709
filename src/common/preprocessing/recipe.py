"""What a store is made from and how: a reader of raw data, and the maker of one group.

Nothing here imports torch: every spawned worker would spend seconds on it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from common.config.recordable import recordable
from common.media.image_codec import CODECS
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped, explained
from common.store.writing import GroupWriter, Row

Item = TypeVar("Item", covariant=True)


@recordable
class GroupReader(ABC, Generic[Item]):
    """Reads one raw data set, called as in ``conf/data``, group by group; cheap to pickle."""

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """Return the options that an item depends on, as plain values; none by default."""
        return {}

    @abstractmethod
    def groups(self) -> list[str]:
        """Return all groups.

        Raises:
            ValueError: If the folder does not hold this data set.
        """

    @abstractmethod
    def count(self, group: str) -> int:
        """Return about how many items `read` yields for a group; for progress bars.

        Raises:
            ValueError: If the group's raw data are damaged.
            OSError: If they cannot be read.
        """

    @abstractmethod
    def read(self, group: str) -> Iterator[Item | Skipped]:
        """Yield the group's items in order; an unusable one as `Skipped`."""

    def fingerprint(self, group: str) -> str | None:
        """Return what the group's items depend on beside the settings, in few words or digests.

        A group with another text than it was made from is made again; with None, as where its raw
        data are gone and by default, it stays as it was made. Errors as of `count`.
        """
        return None

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without decoding the videos; nothing by default."""
        return []


@dataclass(frozen=True)
class StoreRecipe(ABC, Generic[Item]):
    """Makes the groups of a store, which holds one data set; small enough to pickle.

    A process gets one and keeps it: what it has built for a group serves the next.
    """

    name: str
    reader: GroupReader[Item]
    store_dir: Path

    def described(self) -> dict[str, Any]:
        """Return what the store's content depends on, as plain values; folders may be moved."""
        return {"data": self.name, "reader": self.reader.name, **self.reader.settings}

    def count(self, group: str) -> int:
        """Return about how many items a group has; errors as the reader's."""
        return self.reader.count(group)

    def fingerprint(self, group: str) -> str | None:
        """Return what a group would be made from now, None if it is not told; errors likewise."""
        return self.reader.fingerprint(group)

    @abstractmethod
    def rows(self, group: str, on_item: Callable[[], object]) -> Iterator[Row | Skipped]:
        """Yield the rows of one group; call `on_item` for every item, usable or not."""

    def write(self, writer: GroupWriter, group: str, on_item: Callable[[], object]) -> None:
        """Write the rows of one group, which takes another's place when all are there."""
        writer.add_all(self.rows(group, on_item))

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        """Write one group to the store.

        Returns:
            Why it failed, or None; then the group is there.
        """
        try:
            # Before the items: what changes while they are read shows in the next run.
            made_from = self.fingerprint(group)
            with GroupWriter(self.store_dir, group, made_from) as writer:
                self.write(writer, group, on_item)
        # Whatever is wrong with one group must not cost the others; the next run tries it again.
        except Exception as error:
            return explained(error)
        return None


def check_preparation(
    preparation: Any, landmark_sources: Sequence[str], head_pose_sources: Sequence[str]
) -> None:
    """Refuse settings of how faces become rows that no data set can be prepared by.

    Raises:
        ValueError: If ``landmarks``, ``head_pose`` or ``codec`` is none of what it may be, or the
            ``quality`` not of 1..100.
    """
    choices = {"landmarks": landmark_sources, "head_pose": head_pose_sources, "codec": CODECS}
    for name, allowed in choices.items():
        found = getattr(preparation, name)
        if found not in allowed:
            raise ValueError(f"{name} is {found!r}, expected one of {allowed}")
    if not 1 <= preparation.quality <= 100:
        raise ValueError(f"quality is {preparation.quality}, expected 1 to 100")
