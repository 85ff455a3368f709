"""A raw data set of looking-at-me -> face store: all parts in one."""

import logging
from pathlib import Path

from common.preprocessing.check import CheckReport, check_store, no_store_yet
from common.preprocessing.findings import Finding
from common.preprocessing.preprocessor import StorePreprocessor
from gazepose.preprocessing.group import GroupRecipe
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.preprocessing.prior_check import (
    missing_priors,
    preparations,
    prior_sources,
    require_priors,
)
from gazepose.preprocessing.report import PreprocessReport, report_on
from gazepose.readers.sample import RawReader
from gazepose.store.reading import FRAMES_FILE
from gazepose.store.writing import frames_are_sound, write_frames

LOG = logging.getLogger(__name__)


class LamPreprocessor(StorePreprocessor[GroupRecipe]):
    """Makes the face store of a data set.

    Every n-th frame of a track, by the ``sharpness_stride``, is ranked by its sharpness; 1 is all.

    Raises:
        ValueError: If the shard is malformed or the stride is below 1.
    """

    def __init__(
        self,
        name: str,
        reader: RawReader,
        store_dir: str | Path,
        preparation: PreparationSettings,
        sharpness_stride: int = 1,
        shard: str = "0/1",
        num_workers: int = 2,
    ) -> None:
        if sharpness_stride < 1:
            raise ValueError(f"sharpness_stride is {sharpness_stride}, expected 1 or more")
        recipe = GroupRecipe(name, reader, Path(store_dir), preparation)
        super().__init__(recipe, shard, num_workers)
        self._sharpness_stride = sharpness_stride

    def check(self) -> CheckReport:
        """Say what is wrong with the raw data and with this shard's clips; nothing is changed."""
        findings = self._findings()
        note = no_store_yet(self._store_dir)
        if note is not None:
            # Without asking for the clips, which goes through all annotations once more.
            return CheckReport([*findings, note], [])
        if not frames_are_sound(self._store_dir):
            where, remedy = str(self._store_dir / FRAMES_FILE), "the next run writes it again"
            what = "missing, damaged or older than the clips"
            findings.append(Finding("warning", what, where, remedy))
        return check_store(self.recipe, self._shard, findings)

    def _findings(self) -> list[Finding]:
        reader, preparation = self.recipe.reader, self.recipe.preparation
        findings = reader.doctor()
        try:
            about_priors = prior_sources(reader, preparation)
            return findings + about_priors + missing_priors(reader, preparation)
        except ValueError:
            return findings  # the doctor has said what is wrong with the folder

    def _check_needs(self) -> None:
        reader, preparation = self.recipe.reader, self.recipe.preparation
        require_priors(reader, preparation)
        if preparation.wanted_priors:
            parts = preparations(reader, preparation).values() or [preparation.with_priors(())]
        else:
            parts = [preparation]
        for part in parts:
            part.build()  # refuses a model that is not there
        for source in prior_sources(reader, preparation):
            level = logging.WARNING if source.severity == "warning" else logging.INFO
            LOG.log(level, " -> ".join(filter(None, (source.what, source.remedy))))

    def _report(self, skipped: list[dict[str, str]], failed: dict[str, str]) -> PreprocessReport:
        reader, preparation = self.recipe.reader, self.recipe.preparation
        write_frames(self._store_dir, self._sharpness_stride)
        prepared = preparations(reader, preparation).values() or [preparation]
        expects_points = all(part.landmarks in ("mesh", "pose") for part in prepared)
        return report_on(self._store_dir, skipped, failed, expects_points=expects_points)
