"""A share of a store: what of it is to be made, and by whom."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from common.files.locks import locked
from common.listing import counted_names, listed
from common.preprocessing.pool import make_groups
from common.preprocessing.recipe import StoreRecipe
from common.preprocessing.report import LOSSY, lossy_groups
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
    write_expected,
    write_failure,
)

LOG = logging.getLogger(__name__)
# Going through as many groups' raw data may take minutes.
_MANY_GROUPS = 100


class Share:
    """One machine's share of the work at a store.

    Args:
        recipe: makes a group.
        shard: (i, n): every n-th group, starting with the i-th.

    Attributes:
        groups: all that the raw data have.
        own: the share's.
        described: what the store's content depends on.

    Raises:
        ValueError: If the raw data or what the recipe needs are not there, the store was made with
            other settings or from other raw data, its store.json is damaged, or a group's name
            cannot be a file's.
    """

    def __init__(self, recipe: StoreRecipe[Any], shard: tuple[int, int]) -> None:
        number, of = shard
        self.recipe = recipe
        self.store_dir = recipe.store_dir
        self.groups = recipe.reader.groups()
        self.own = self.groups[number::of]
        self.described = recipe.described()
        self._check_fit()

    def stored(self) -> list[str]:
        """Return those of the share's groups that are there."""
        there = set(stored_groups(self.store_dir))
        return [group for group in self.own if group in there]

    def _check_fit(self) -> None:
        for group in self.groups:
            GroupPaths(self.store_dir, group)
        if (self.store_dir / "store.json").exists():
            check_recipe(self.store_dir, self.described)
        strange = sorted(set(stored_groups(self.store_dir)) - set(self.groups))
        if strange:
            raise ValueError(
                f"{self.store_dir} holds groups that the raw data do not have: "
                f"{listed(strange)}. Does data.raw_dir name another data set? Then give it a "
                "store of its own: data.name=NAME or data.store_dir=FOLDER"
            )


def parse_shard(shard: str) -> tuple[int, int]:
    """Return (i, n) of ``i/n``: every n-th group, starting with the i-th (from 0).

    Raises:
        ValueError: If it is not of that form with 0 <= i < n.
    """
    number, _, of = shard.partition("/")
    if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
        raise ValueError(f"shard is {shard!r}, expected i/n with 0 <= i < n, e.g. shard=0/4")
    return int(number), int(of)


def make_share(share: Share, num_workers: int, *, unit: str, repairs: bool) -> None:
    """Make the share's groups that are not there yet; write down why one could not be made.

    Groups that were made from something else than is there now are made again; to repair, damaged
    ones and those that lost frames, too. One that cannot be made again stays as it was. Of
    processes that make a share at once each group is made by one.
    """
    maker = _OnceMaker(share, {group: table_stamp(share.store_dir, group) for group in share.own})
    claim_store(share.store_dir, share.described)
    write_expected(share.store_dir, share.groups)
    done = set(share.stored())
    again = _wanted_again(share, repairs)
    wanted = [group for group in share.own if group not in done or group in again]
    # Groups that are there and sound, and those that the raw data lost, are not asked for again.
    lost = read_failures(share.store_dir).keys() - set(share.groups)
    for group in lost.union(done.difference(wanted)):
        GroupPaths(share.store_dir, group).failed.unlink(missing_ok=True)
    for group, why in make_groups(maker, wanted, num_workers, unit=unit):
        if why is not None:
            stays = "; what was made before stays" if group in done else ""
            write_failure(share.store_dir, group, why + stays)


def changed_groups(share: Share) -> list[str]:
    """Return the share's groups that were made from something else than is there now."""
    done = share.stored()
    if len(done) >= _MANY_GROUPS:
        LOG.info("%d groups are compared with the raw data; a slow drive takes a while", len(done))
    return [group for group in done if _is_changed(share, group)]


@dataclass(frozen=True)
class _OnceMaker:
    """Makes groups that nobody else has made since; waits where somebody is about it.

    The stamps are of the groups' tables as they were, None where there was none.
    """

    share: Share
    stamps: Mapping[str, tuple[int, int] | None]

    def count(self, group: str) -> int:
        return self.share.recipe.count(group)

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        store_dir = self.share.store_dir
        try:
            with locked(GroupPaths(store_dir, group).lock):
                if table_stamp(store_dir, group) != self.stamps[group]:
                    return None
                return self.share.recipe.make(group, on_item)
        except OSError as error:
            return explained(error)


def _wanted_again(share: Share, repairs: bool) -> set[str]:
    seen = {"groups made from what has changed since": changed_groups(share)}
    if repairs:
        damaged = damaged_groups(share.store_dir, share.own)
        seen["groups found damaged"] = damaged
        sound = set(share.stored()).difference(damaged)
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
        now = share.recipe.fingerprint(group)
    except (ValueError, OSError):
        return True  # making it will say what is wrong
    return now is not None and now != before
