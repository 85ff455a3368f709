"""A raw data set of gaze angles -> face store."""

from pathlib import Path

from common.faces.mediapipe.iris import IrisModel
from common.faces.settings import AnalyzerSettings
from common.preprocessing.preprocessor import StorePreprocessor
from common.store.reading import EmptyStoreError, FaceStore
from flame.preprocessing.group import GroupRecipe
from flame.preprocessing.openface_source import OpenFaceFolder
from flame.preprocessing.preparation import PreparationSettings
from flame.preprocessing.report import PreprocessReport, check_signs
from flame.readers.sample import RawReader


class FacePreprocessor(StorePreprocessor[GroupRecipe]):
    """Makes the face store of a data set; ``openface_dir`` holds OpenFace 2 csv files.

    Raises:
        ValueError: If the shard is malformed, or OpenFace's folder is needed and not given, or
            holds no csv.
    """

    unit = "photo"

    def __init__(
        self,
        name: str,
        reader: RawReader,
        store_dir: str | Path,
        preparation: PreparationSettings,
        analyzer: AnalyzerSettings,
        openface_dir: str | Path | None = None,
        shard: str = "0/1",
        num_workers: int = 2,
    ) -> None:
        openface = _checked_openface_dir(preparation, openface_dir)
        recipe = GroupRecipe(name, reader, Path(store_dir), preparation, analyzer, openface)
        super().__init__(recipe, shard, num_workers)

    @staticmethod
    def export(store_dir: Path, out_dir: Path, *, heatmaps: bool) -> str:
        """Write a store in FLAME's own folder layout; return what was written, for a person.

        With heatmaps it takes 41 MB an image of 384 x 480.

        Raises:
            ValueError: If there is no store yet, the folder holds images already, or the drive
                is too small.
        """
        # Here because it needs torch, which every worker would import with this module.
        from flame.preprocessing.layout_export import check_space, export_layout, layout_samples

        store = FaceStore(store_dir)
        check_space(out_dir, store.image(0).shape, len(store), heatmaps=heatmaps)
        counts = export_layout(
            layout_samples(store), out_dir, heatmaps=heatmaps, num_samples=len(store)
        )
        return f"{sum(counts.values())} face images of {len(counts)} groups -> {out_dir}"

    def _check_needs(self) -> None:
        if self.recipe.preparation.landmarks == "iris":
            IrisModel()
        if self.recipe.preparation.detects_faces:
            self.recipe.analyzer.build()

    def _report(self, skipped: list[dict[str, str]], failed: dict[str, str]) -> PreprocessReport:
        try:
            store = FaceStore(self._store_dir)
        except EmptyStoreError:
            return PreprocessReport(skipped, failed)
        return PreprocessReport(skipped, failed, len(store), check_signs(store))


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
