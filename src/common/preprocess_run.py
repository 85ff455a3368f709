"""What both lines do to make a store: claim it, make what is missing, report what went wrong."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.facestore import damaged_groups, stored_groups
from common.facestore_writing import claim_store, remove_group, write_failure
from common.listing import counted_names, listed
from common.preprocess_pool import GroupMaker, make_groups

LOG = logging.getLogger(__name__)


def claim_groups(
    store_dir: Path, recipe: Mapping[str, Any], groups: Sequence[str], shard: tuple[int, int]
) -> list[str]:
    """Claim a store for a recipe.

    Args:
        store_dir: the store's folder.
        recipe: what the store's content depends on.
        groups: all that the raw data have.
        shard: (i, n): every n-th group, starting with the i-th.

    Returns:
        The shard's groups.

    Raises:
        ValueError: If the store was made with other settings or from other raw data.
    """
    claim_store(store_dir, recipe)
    strange = sorted(set(stored_groups(store_dir)) - set(groups))
    if strange:
        raise ValueError(
            f"{store_dir} holds groups that the raw data do not have: "
            f"{listed(strange)}. Does data.raw_dir name another data set? Then give it a "
            "store of its own: data.name=NAME or data.store_dir=FOLDER"
        )
    number, of = shard
    return list(groups[number::of])


def make_missing_groups(
    maker: GroupMaker, store_dir: Path, groups: Sequence[str], num_workers: int, *, unit: str
) -> None:
    """Make the groups that are not there yet; write down why one could not be made.

    Args:
        maker: makes one.
        store_dir: the store's folder.
        groups: which are wanted.
        num_workers: processes; 0 works in this one.
        unit: what an item is, for the progress bar.
    """
    done = set(stored_groups(store_dir))
    missing = [group for group in groups if group not in done]
    for group, why in make_groups(maker, missing, num_workers, unit=unit):
        if why is not None:
            write_failure(store_dir, group, why)


def remove_damaged(store_dir: Path, groups: Sequence[str]) -> list[str]:
    """Remove groups whose packs do not match their checksums; the next run makes them again.

    Args:
        store_dir: the store's folder.
        groups: which may be removed.

    Returns:
        Those removed, sorted.
    """
    removed = sorted(set(groups).intersection(damaged_groups(store_dir)))
    for group in removed:
        LOG.warning("%s is damaged and removed; the next run makes it again", group)
        remove_group(store_dir, group)
    return removed


def warn_of_failures(failed_groups: Mapping[str, str]) -> None:
    """Warn if groups could not be made."""
    if failed_groups:
        LOG.warning(
            "%s; report.txt says why, another run tries again",
            counted_names(list(failed_groups), "groups could not be made"),
        )


def problem_lines(
    skipped: Sequence[Mapping[str, str]], failed_groups: Mapping[str, str]
) -> list[str]:
    """Return the skipped items' counts by reason and the failed groups, a line each.

    Args:
        skipped: items with ``sample_id`` and ``reason``.
        failed_groups: why groups are not there, by group.
    """
    reasons = Counter(item["reason"] for item in skipped).most_common()
    lines = [f"  {count:6d}  {reason}" for reason, count in reasons]
    return lines + [f"  failed: {group}: {why}" for group, why in failed_groups.items()]


def item_lines(skipped: Sequence[Mapping[str, str]]) -> list[str]:
    """Return every skipped item with its reason, a line each."""
    return [f"{item['sample_id']}\t{item['reason']}" for item in skipped]
