"""A raw data set -> face store, group by group over processes; interrupted runs go on."""

from pathlib import Path

from common.faces.mediapipe.iris import IrisModel
from common.faces.settings import AnalyzerSettings
from common.files.atomic import write_text_atomically
from common.preprocessing.check import CheckReport, check_store
from common.preprocessing.share import Share, make_share, parse_shard, warn_of_failures
from common.store.reading import FaceStore, read_failures
from common.store.writing import worked_at
from flame.preprocessing.group import GroupRecipe
from flame.preprocessing.openface_source import OpenFaceFolder
from flame.preprocessing.preparation import PreparationSettings
from flame.preprocessing.report import PreprocessReport, report_on
from flame.readers.sample import RawReader


class FacePreprocessor:
    """Makes the face store of a data set.

    Args:
        name: what the config calls the data set; a store holds one.
        reader: reads the raw data set; None suffices to export a store.
        store_dir: where the store goes.
        preparation: what is measured and how it is stored.
        analyzer: how faces are found.
        openface_dir: folder of OpenFace 2 csv files when a setting says ``openface``.
        shard: ``i/n``: this run takes every n-th group, starting with the i-th (from 0).
        num_workers: processes; 0 works in this one.

    Raises:
        ValueError: If the shard is malformed, or OpenFace's folder is needed and not given, or
            holds no csv.
    """

    def __init__(
        self,
        name: str,
        reader: RawReader | None,
        store_dir: str | Path,
        preparation: PreparationSettings,
        analyzer: AnalyzerSettings,
        openface_dir: str | Path | None = None,
        shard: str = "0/1",
        num_workers: int = 2,
    ) -> None:
        self._store_dir = Path(store_dir)
        self._shard = parse_shard(shard)
        self._num_workers = num_workers
        self._recipe = (
            None
            if reader is None
            else GroupRecipe(
                name=name,
                reader=reader,
                store_dir=self._store_dir,
                preparation=preparation,
                analyzer=analyzer,
                openface_dir=_checked_openface_dir(preparation, openface_dir),
            )
        )

    def run(self) -> PreprocessReport:
        """Make every group of this shard that is not there yet, and report on the store.

        Raises:
            ValueError: If the store was made with other settings or from other raw data, a group's
                table is damaged (then repair it), or an optional package is missing.
        """
        with worked_at(self._store_dir):
            return self._make(repairs=False)

    def repair(self) -> PreprocessReport:
        """Do as `run`, and make this shard's damaged groups again.

        One that cannot be made again stays as it is, and is reported as failed.

        Raises:
            ValueError: As `run`.
        """
        with worked_at(self._store_dir):
            return self._make(repairs=True)

    def check(self) -> CheckReport:
        """Say which groups of this shard are missing or damaged; nothing is changed."""
        return check_store(self._store_dir, self._share)

    def export(self, out_dir: Path, *, heatmaps: bool = True) -> str:
        """Write the store in FLAME's own folder layout.

        Args:
            out_dir: where to.
            heatmaps: with heatmaps, 41 MB an image of 384 x 480.

        Raises:
            ValueError: If there is no store yet, the folder holds images already, or the drive
                is too small.
        """
        # Here because it needs torch, which every worker would import with this module.
        from flame.preprocessing.layout_export import check_space, export_layout, layout_samples

        store = FaceStore(self._store_dir)
        check_space(out_dir, store.image(0).shape, len(store), heatmaps=heatmaps)
        counts = export_layout(
            layout_samples(store), out_dir, heatmaps=heatmaps, num_samples=len(store)
        )
        return f"{sum(counts.values())} face images of {len(counts)} groups -> {out_dir}"

    def _make(self, *, repairs: bool) -> PreprocessReport:
        assert self._recipe is not None
        if self._recipe.preparation.landmarks == "iris":
            IrisModel()  # refuses what is not installed before the first image
        make_share(self._share(), self._num_workers, unit="photo", repairs=repairs)
        warn_of_failures(read_failures(self._store_dir))
        report = report_on(self._store_dir)
        write_text_atomically(self._store_dir / "report.txt", report.text() + "\n")
        return report

    def _share(self) -> Share:
        recipe = self._recipe
        assert recipe is not None
        groups = recipe.reader.groups()
        return Share(self._store_dir, recipe, recipe.described(), groups, self._shard)


def _checked_openface_dir(
    preparation: PreparationSettings, openface_dir: str | Path | None
) -> Path | None:
    needs_openface = "openface" in (preparation.landmarks, preparation.head_pose)
    if openface_dir is None:
        if needs_openface:
            raise ValueError("landmarks or head pose from OpenFace: set data.openface_dir=FOLDER")
        return None
    OpenFaceFolder(Path(openface_dir))  # refuses a wrong folder before the first photo
    return Path(openface_dir)
