"""A raw data set -> face store, clip by clip over processes; interrupted runs go on."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from common.atomic import write_text_atomically
from common.facestore import stored_groups
from common.findings import Finding
from common.preprocess_run import (
    claim_groups,
    make_missing_groups,
    remove_damaged,
    warn_of_failures,
)
from common.shards import parse_shard
from gazepose.frames import frames_are_sound, write_frames
from gazepose.frames_file import FRAMES_FILE
from gazepose.preparation import LamPreparation
from gazepose.preprocess_group import LamRecipe
from gazepose.preprocess_report import CheckReport, LamReport, report_on
from gazepose.sample import LamReader


@runtime_checkable
class BringsPriors(Protocol):
    """A reader of a data set with prior files."""

    def has_priors(self) -> bool:
        """Return whether there are any."""


class LamPreprocessor:
    """Makes the face store of a data set: all parts in one.

    Args:
        name: what the config calls the data set; a store holds one.
        reader: reads the raw data set; None where only the store is wanted.
        store_dir: where the store goes.
        preparation: what is measured and how it is stored.
        sharpness_stride: every n-th frame of a track is ranked by its sharpness; 1 is all.
        shard: ``i/n``: this run takes every n-th clip, starting with the i-th (from 0).
        num_workers: processes; 0 works in this one.

    Raises:
        ValueError: If the shard is malformed, the stride is below 1, or prior files are asked for
            and the data set brings none.
    """

    def __init__(
        self,
        name: str,
        reader: LamReader | None,
        store_dir: str | Path,
        preparation: LamPreparation,
        sharpness_stride: int = 1,
        shard: str = "0/1",
        num_workers: int = 2,
    ) -> None:
        if sharpness_stride < 1:
            raise ValueError(f"sharpness_stride is {sharpness_stride}, expected 1 or more")
        self._store_dir = Path(store_dir)
        self._sharpness_stride = sharpness_stride
        self._shard = parse_shard(shard)
        self._num_workers = num_workers
        self._recipe = (
            None if reader is None else LamRecipe(name, reader, self._store_dir, preparation)
        )
        if reader is not None:
            _check_priors(reader, preparation)

    def run(self) -> LamReport:
        """Make every clip of this shard that is not there yet, and report on the store.

        Raises:
            ValueError: If the store was made with other settings or from other raw data.
        """
        recipe, own = self._claim()
        make_missing_groups(recipe, self._store_dir, own, self._num_workers, unit="face")
        frames = write_frames(self._store_dir, self._sharpness_stride)
        expects_points = recipe.preparation.landmarks in ("mesh", "pose")
        report = report_on(self._store_dir, frames, expects_points=expects_points)
        write_text_atomically(self._store_dir / "report.txt", report.text() + "\n")
        warn_of_failures(report.failed_groups)
        return report

    def check(self) -> CheckReport:
        """Say what is wrong with the raw data and the store, before anything runs.

        Nothing is made. Damaged clips of this shard are removed from an existing store, so that
        the next run makes them again.
        """
        assert self._recipe is not None
        findings = list(self._recipe.reader.doctor())
        if not (self._store_dir / "store.json").exists():
            note = Finding("note", "no store yet", str(self._store_dir))
            return CheckReport([*findings, note], [], [])
        try:
            _, own = self._claim()
        except ValueError as error:
            findings.append(Finding("error", str(error), str(self._store_dir)))
            return CheckReport(findings, [], [])
        removed = remove_damaged(self._store_dir, own)
        if removed:
            # Its rows would point at packs that are gone.
            (self._store_dir / FRAMES_FILE).unlink(missing_ok=True)
        if not frames_are_sound(self._store_dir):
            where, remedy = str(self._store_dir / FRAMES_FILE), "the next run writes it again"
            findings.append(Finding("warning", "missing or damaged", where, remedy))
        done = set(stored_groups(self._store_dir))
        return CheckReport(findings, [group for group in own if group not in done], removed)

    def export(self, out_dir: Path) -> str:
        """Refuse: only FLAME has a folder layout of its own to write.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            f"mode=export writes FLAME's folder layout to {out_dir}; an eye-contact store has none"
        )

    def _claim(self) -> tuple[LamRecipe, list[str]]:
        """Return what to do and this shard's groups, once they are known to fit the store."""
        recipe = self._recipe
        assert recipe is not None
        groups = recipe.reader.groups()
        own = claim_groups(self._store_dir, recipe.described(), groups, self._shard)
        return recipe, own


def _check_priors(reader: LamReader, preparation: LamPreparation) -> None:
    has_priors = isinstance(reader, BringsPriors) and reader.has_priors()
    if preparation.wants_priors and not has_priors:
        raise ValueError(
            f"landmarks={preparation.landmarks}, head_pose={preparation.head_pose}: {reader.name} "
            "brings no json_prior files; measure with landmarks=mesh, head_pose=mesh"
        )
