"""What preprocessing reports of a store, whichever run or shard found it."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.media.video import DECODING_FAILED, FRAMES_DAMAGED

LOSSY = "groups whose videos could be decoded only in part"
LOSSY_REMEDY = (
    "put whole files in their place, then `python preprocess.py data=... mode=repair` makes them "
    "again"
)
_LOSSES = (DECODING_FAILED, FRAMES_DAMAGED)


@dataclass(frozen=True)
class StoreReport(ABC):
    """What a store holds and what could not be used.

    Attributes:
        skipped: what could not be used: ``sample_id``, ``reason`` and more.
        failed_groups: why groups are not there, or not as they should be, by group.
    """

    skipped: list[dict[str, str]]
    failed_groups: dict[str, str]

    @property
    def has_errors(self) -> bool:
        """Whether groups could not be made."""
        return bool(self.failed_groups)

    @abstractmethod
    def counts_text(self) -> str:
        """Return what the store holds, and how much could not be used."""

    def summary(self) -> str:
        """Return the counts, then the skipped items by reason and the failed groups."""
        reasons = Counter(item["reason"] for item in self.skipped).most_common()
        skipped = [f"  {count:6d}  {reason}" for reason, count in reasons]
        failed = [f"  failed: {group}: {why}" for group, why in self.failed_groups.items()]
        return "\n".join([self.counts_text(), *skipped, *failed])

    def details(self) -> list[str]:
        """Return every skipped item with its reason, a line each."""
        return [f"{item['sample_id']}\t{item['reason']}" for item in self.skipped]

    def text(self) -> str:
        """Return all that is known, as ``report.txt`` has it."""
        return "\n".join([self.summary(), *self.details()])


def lossy_groups(skipped: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the groups that lost frames because a video was damaged, with how many.

    Args:
        skipped: items with ``group`` and ``reason``.
    """
    lost = Counter(
        item["group"] for item in skipped if any(loss in item["reason"] for loss in _LOSSES)
    )
    return {group: f"{count} faces lost" for group, count in lost.items()}
