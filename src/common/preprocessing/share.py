"""What both lines do to make a store: claim it, make what is to be made, report what went wrong."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from common.files.locks import locked
from common.listing import counted_names, listed
from common.media.video import DECODING_FAILED, FRAMES_DAMAGED
from common.preprocessing.pool import GroupMaker, make_groups
from common.store.damage import damaged_groups
from common.store.reading import (
    GroupPaths,
    read_failures,
    read_made_from,
    read_skipped,
    stored_groups,
    table_stamp,
)
from common.store.skipped import explained
from common.store.writing import (
    check_recipe,
    claim_store,
    forget_failure,
    write_expected,
    write_failure,
)

LOG = logging.getLogger(__name__)
# Going through as many groups' raw data may take minutes.
_MANY_GROUPS = 100
LOSSY = "groups whose videos could be decoded only in part"
LOSSY_REMEDY = (
    "put whole files in their place, then `python preprocess.py data=... mode=repair` makes them "
    "again"
)
_LOSSES = (DECODING_FAILED, FRAMES_DAMAGED)


class StoreMaker(GroupMaker, Protocol):
    """Makes the groups of a store, and knows what from."""

    def fingerprint(self, group: str) -> str | None:
        """Return what a group would be made from now: the same text, the same content.

        None if that cannot be told; the group is left as it is, then.

        Raises:
            ValueError: If the group's raw data are damaged.
            OSError: If they cannot be read.
        """


@dataclass(frozen=True)
class Share:
    """One machine's share of the work at a store.

    Attributes:
        store_dir: the store's folder.
        maker: makes a group.
        recipe: what the store's content depends on.
        groups: all that the raw data have.
        shard: (i, n): every n-th group, starting with the i-th.
    """

    store_dir: Path
    maker: StoreMaker
    recipe: Mapping[str, Any]
    groups: Sequence[str]
    shard: tuple[int, int]

    @property
    def own(self) -> list[str]:
        """Return the share's groups."""
        number, of = self.shard
        return list(self.groups[number::of])


def parse_shard(shard: str) -> tuple[int, int]:
    """Return (i, n) of ``i/n``: every n-th group, starting with the i-th (from 0).

    Raises:
        ValueError: If it is not of that form with 0 <= i < n.
    """
    number, _, of = shard.partition("/")
    if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
        raise ValueError(f"shard is {shard!r}, expected i/n with 0 <= i < n, e.g. shard=0/4")
    return int(number), int(of)


def check_fit(share: Share) -> None:
    """Check that a store is made, or can be made, by a recipe from the groups.

    Raises:
        ValueError: If the store was made with other settings or from other raw data, its
            store.json is damaged, or a group's name cannot be a file's.
    """
    for group in share.groups:
        GroupPaths(share.store_dir, group)
    if (share.store_dir / "store.json").exists():
        check_recipe(share.store_dir, share.recipe)
    strange = sorted(set(stored_groups(share.store_dir)) - set(share.groups))
    if strange:
        raise ValueError(
            f"{share.store_dir} holds groups that the raw data do not have: "
            f"{listed(strange)}. Does data.raw_dir name another data set? Then give it a "
            "store of its own: data.name=NAME or data.store_dir=FOLDER"
        )


def make_share(share: Share, num_workers: int, *, unit: str, repairs: bool) -> None:
    """Make the share's groups that are not there yet; write down why one could not be made.

    Groups that were made from something else than is there now are made again. One that cannot be
    made again stays as it was. Of processes that make a share at once each group is made by one.

    Args:
        share: of which store.
        num_workers: processes; 0 works in this one.
        unit: what an item is, for the progress bar.
        repairs: make damaged groups and those that lost frames again, too.

    Raises:
        ValueError: As `check_fit`; nothing is made then.
    """
    check_fit(share)
    maker = _OnceMaker(share, {group: table_stamp(share.store_dir, group) for group in share.own})
    claim_store(share.store_dir, share.recipe)
    write_expected(share.store_dir, share.groups)
    done = set(stored_groups(share.store_dir))
    again = _wanted_again(share, repairs)
    wanted = [group for group in share.own if group not in done or group in again]
    _forget_failures(share, done.intersection(share.own).difference(wanted))
    for group, why in make_groups(maker, wanted, num_workers, unit=unit):
        if why is not None:
            stays = "; what was made before stays" if group in done else ""
            write_failure(share.store_dir, group, why + stays)


def changed_groups(share: Share) -> list[str]:
    """Return the share's groups that were made from something else than is there now."""
    stored = set(stored_groups(share.store_dir))
    done = [group for group in share.own if group in stored]
    if len(done) >= _MANY_GROUPS:
        LOG.info("%d groups are compared with the raw data; a slow drive takes a while", len(done))
    return [group for group in done if _is_changed(share, group)]


def lossy_groups(skipped: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the groups that lost frames because a video was damaged, with how many.

    Args:
        skipped: items with ``group`` and ``reason``.
    """
    lost = Counter(
        item["group"] for item in skipped if any(loss in item["reason"] for loss in _LOSSES)
    )
    return {group: f"{count} faces lost" for group, count in lost.items()}


def warn_of_failures(failed_groups: Mapping[str, str]) -> None:
    """Warn if groups could not be made."""
    if failed_groups:
        LOG.warning(
            "%s; the store's folder failed says why, another run tries again",
            counted_names(list(failed_groups), "groups could not be made"),
        )


def problem_lines(
    skipped: Sequence[Mapping[str, str]], failed_groups: Mapping[str, str]
) -> list[str]:
    """Return the skipped items' counts by reason and the failed groups, a line each.

    Args:
        skipped: items with ``sample_id`` and ``reason``.
        failed_groups: why groups could not be made, by group.
    """
    reasons = Counter(item["reason"] for item in skipped).most_common()
    lines = [f"  {count:6d}  {reason}" for reason, count in reasons]
    return lines + [f"  failed: {group}: {why}" for group, why in failed_groups.items()]


def item_lines(skipped: Sequence[Mapping[str, str]]) -> list[str]:
    """Return every skipped item with its reason, a line each."""
    return [f"{item['sample_id']}\t{item['reason']}" for item in skipped]


@dataclass(frozen=True)
class _OnceMaker:
    """Makes groups that nobody else has made since; waits where somebody is about it.

    Attributes:
        share: of which store.
        stamps: of the groups' tables as they were, None where there was none.
    """

    share: Share
    stamps: Mapping[str, tuple[int, int] | None]

    def count(self, group: str) -> int:
        return self.share.maker.count(group)

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        store_dir = self.share.store_dir
        try:
            with locked(GroupPaths(store_dir, group).lock):
                if table_stamp(store_dir, group) != self.stamps[group]:
                    return None
                return self.share.maker.make(group, on_item)
        except OSError as error:
            return explained(error)


def _forget_failures(share: Share, settled: set[str]) -> None:
    """Forget the failures of groups that are there, and of those that the raw data lost."""
    for group in settled.union(read_failures(share.store_dir).keys() - set(share.groups)):
        forget_failure(share.store_dir, group)


def _wanted_again(share: Share, repairs: bool) -> set[str]:
    seen = {"groups made from what has changed since": changed_groups(share)}
    if repairs:
        damaged = damaged_groups(share.store_dir, share.own)
        seen["groups found damaged"] = damaged
        sound = set(share.own).intersection(stored_groups(share.store_dir)).difference(damaged)
        seen[LOSSY] = list(lossy_groups(read_skipped(share.store_dir, sound)))
    for what, groups in seen.items():
        if groups:
            LOG.warning("%s; made again", counted_names(groups, what))
    return set().union(*seen.values())


def _is_changed(share: Share, group: str) -> bool:
    before = read_made_from(share.store_dir, group)
    if before is None:
        return False
    try:
        now = share.maker.fingerprint(group)
    except (ValueError, OSError):
        return True  # making it will say what is wrong
    return now is not None and now != before
