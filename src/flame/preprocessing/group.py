"""One group of a raw data set -> its pack and table; the work of one process.

Nothing here imports torch: every spawned worker would spend seconds on it.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from common.faces.head_pose import mesh_definition
from common.faces.mediapipe.iris import IrisModel
from common.faces.settings import AnalyzerSettings
from common.preprocessing.recipe import StoreRecipe
from common.store.skipped import Skipped
from common.store.writing import Row
from flame.preprocessing.openface_source import OpenFaceFolder
from flame.preprocessing.preparation import PreparationSettings, Preparer
from flame.readers.sample import RawReader, RawSample


@dataclass(frozen=True)
class GroupRecipe(StoreRecipe[RawSample]):
    """Makes groups of face images with gaze labels."""

    reader: RawReader
    preparation: PreparationSettings
    analyzer: AnalyzerSettings
    openface_dir: Path | None

    def described(self) -> dict[str, Any]:
        """Return what the store's content depends on, as plain values; folders may be moved."""
        # Stores that do not say are from before there were two, all in the camera's.
        frame = self.reader.gaze_frame
        return {
            "data": self.name,
            "reader": self.reader.name,
            "gaze_convention": self.reader.gaze_convention,
            **({} if frame == "camera" else {"gaze_frame": frame}),
            "openface_dir": self.openface_dir is not None,
            **self.reader.settings,
            **asdict(self.preparation),
            **mesh_definition(self.preparation.head_pose),
            **(self.analyzer.recipe() if self.preparation.detects_faces else {}),
        }

    def rows(self, group: str, on_item: Callable[[], object]) -> Iterator[Row | Skipped]:
        """Yield the rows of one group; call `on_item` after every item, usable or not."""
        preparer = _preparer(
            self.preparation, self.analyzer, self.openface_dir, self.reader.gaze_convention
        )
        for item in self.reader.read(group):
            yield item if isinstance(item, Skipped) else preparer.prepare(item)
            on_item()


@cache
def _preparer(
    preparation: PreparationSettings,
    analyzer: AnalyzerSettings,
    openface_dir: Path | None,
    gaze_convention: str,
) -> Preparer:
    """Return this process's preparer: MediaPipe's graphs are built once a process."""
    openface = None if openface_dir is None else OpenFaceFolder(openface_dir)
    built = analyzer.build() if preparation.detects_faces else None
    iris = IrisModel() if preparation.landmarks == "iris" else None
    return Preparer(preparation, built, openface, gaze_convention, iris)
