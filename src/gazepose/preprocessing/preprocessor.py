"""A raw data set -> face store, clip by clip over processes; interrupted runs go on."""

import logging
from pathlib import Path

from common.files.atomic import write_text_atomically
from common.preprocessing.check import CheckReport, check_store, no_store_yet
from common.preprocessing.findings import Finding
from common.preprocessing.share import Share, make_share, parse_shard, warn_of_failures
from common.store.reading import read_failures
from common.store.writing import worked_at
from gazepose.preprocessing.group import LamRecipe
from gazepose.preprocessing.preparation import LamPreparation
from gazepose.preprocessing.prior_check import (
    missing_priors,
    preparations,
    prior_sources,
    require_priors,
)
from gazepose.preprocessing.report import LamReport, report_on
from gazepose.readers.sample import RawReader
from gazepose.store.reading import FRAMES_FILE
from gazepose.store.writing import frames_are_sound, write_frames

LOG = logging.getLogger(__name__)


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
        ValueError: If the shard is malformed or the stride is below 1.
    """

    def __init__(
        self,
        name: str,
        reader: RawReader | None,
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

    def run(self) -> LamReport:
        """Make every clip of this shard that is not there yet, and report on the store.

        Clips whose annotations, part or video have changed since are made again.

        Raises:
            ValueError: If the store was made with other settings or from other raw data, a prior
                file is missing, or a clip's table is damaged; then repair it.
        """
        with worked_at(self._store_dir):
            return self._make(repairs=False)

    def repair(self) -> LamReport:
        """Do as `run`, and make this shard's clips again that are damaged or lost frames.

        One that cannot be made again stays as it is, and is reported as failed.

        Raises:
            ValueError: As `run`.
        """
        with worked_at(self._store_dir):
            return self._make(repairs=True)

    def check(self) -> CheckReport:
        """Say what is wrong with the raw data and with this shard's clips; nothing is changed."""
        assert self._recipe is not None
        findings = self._findings(self._recipe)
        note = no_store_yet(self._store_dir)
        if note is not None:
            # Without asking for the clips, which goes through all annotations once more.
            return CheckReport([*findings, note], [])
        if not frames_are_sound(self._store_dir):
            where, remedy = str(self._store_dir / FRAMES_FILE), "the next run writes it again"
            what = "missing, damaged or older than the clips"
            findings.append(Finding("warning", what, where, remedy))
        return check_store(self._store_dir, self._share, findings)

    @staticmethod
    def _findings(recipe: LamRecipe) -> list[Finding]:
        findings = list(recipe.reader.doctor())
        try:
            about_priors = prior_sources(recipe.reader, recipe.preparation)
            return findings + about_priors + missing_priors(recipe.reader, recipe.preparation)
        except ValueError:
            return findings  # the doctor has said what is wrong with the folder

    def export(self, out_dir: Path, *, heatmaps: bool = True) -> str:
        """Refuse: only FLAME has a folder layout of its own to write.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            f"mode=export writes FLAME's folder layout to {out_dir}; an eye-contact store has none"
        )

    def _make(self, *, repairs: bool) -> LamReport:
        assert self._recipe is not None
        reader, preparation = self._recipe.reader, self._recipe.preparation
        require_priors(reader, preparation)
        for source in prior_sources(reader, preparation):
            level = logging.WARNING if source.severity == "warning" else logging.INFO
            LOG.log(level, " -> ".join(filter(None, (source.what, source.remedy))))
        share = self._share()
        make_share(share, self._num_workers, unit="face", repairs=repairs)
        warn_of_failures(read_failures(self._store_dir))
        write_frames(self._store_dir, self._sharpness_stride)
        prepared = preparations(reader, preparation).values() or [preparation]
        expects_points = all(part.landmarks in ("mesh", "pose") for part in prepared)
        report = report_on(self._store_dir, expects_points=expects_points)
        write_text_atomically(self._store_dir / "report.txt", report.text() + "\n")
        return report

    def _share(self) -> Share:
        recipe = self._recipe
        assert recipe is not None
        groups = recipe.reader.groups()
        return Share(self._store_dir, recipe, recipe.described(), groups, self._shard)
