"""A raw data set -> face store, group by group over processes; interrupted runs go on."""

import logging
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from common.files.atomic import write_text_atomically
from common.listing import counted_names
from common.preprocessing.check import CheckReport, check_store
from common.preprocessing.recipe import StoreRecipe
from common.preprocessing.report import StoreReport
from common.preprocessing.share import Share, make_share, parse_shard
from common.store.reading import read_failures, read_skipped
from common.store.writing import worked_at

LOG = logging.getLogger(__name__)
Recipe = TypeVar("Recipe", bound=StoreRecipe[Any])


class StorePreprocessor(ABC, Generic[Recipe]):
    """Makes a face store; a line says by which recipe, and what it reports.

    Args:
        recipe: how a group is made, and from what.
        shard: ``i/n``: this run takes every n-th group, starting with the i-th (from 0).
        num_workers: processes; 0 works in this one.

    Raises:
        ValueError: If the shard is malformed.
    """

    unit = "face"

    def __init__(self, recipe: Recipe, shard: str, num_workers: int) -> None:
        self._store_dir = recipe.store_dir
        self.recipe = recipe
        self._shard = parse_shard(shard)
        self._num_workers = num_workers

    def run(self) -> StoreReport:
        """Make every group of this shard that is not there yet, and report on the store.

        Groups whose raw data have changed since are made again.

        Raises:
            ValueError: If the store was made with other settings or from other raw data, a group's
                table is damaged (then repair it), or something that is needed is missing.
        """
        return self._make(repairs=False)

    def repair(self) -> StoreReport:
        """Do as `run`, and make this shard's groups again that are damaged or lost frames.

        One that cannot be made again stays as it is, and is reported as failed. Errors as of `run`.
        """
        return self._make(repairs=True)

    def check(self) -> CheckReport:
        """Say what is wrong with the raw data and with this shard's groups; nothing is changed."""
        return check_store(self.recipe, self._shard, self.recipe.reader.doctor())

    def _make(self, *, repairs: bool) -> StoreReport:
        with worked_at(self._store_dir):
            self._check_needs()
            share = Share(self.recipe, self._shard)
            make_share(share, self._num_workers, unit=self.unit, repairs=repairs)
            failed = read_failures(self._store_dir)
            if failed:
                LOG.warning(
                    "%s; the store's folder failed says why, another run tries again",
                    counted_names(list(failed), "groups could not be made"),
                )
            report = self._report(read_skipped(self._store_dir), failed)
            write_text_atomically(self._store_dir / "report.txt", report.text() + "\n")
            return report

    def _check_needs(self) -> None:
        """Refuse, before the first group, to go without what a group needs; nothing by default.

        Raises:
            ValueError: If something is missing.
        """

    @abstractmethod
    def _report(self, skipped: list[dict[str, str]], failed: dict[str, str]) -> StoreReport:
        """Finish the store, and return what it holds beside what could not be used."""
