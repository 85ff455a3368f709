"""One group of a raw data set -> its pack and table; the work of one process.

Nothing here imports torch: every spawned worker would spend seconds on it.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from common.faces.mediapipe.iris import IrisModel
from common.faces.settings import AnalyzerSettings
from common.store.skipped import Skipped, explained
from common.store.writing import GroupWriter
from flame.preprocessing.openface_source import OpenFaceFolder
from flame.preprocessing.preparation import PreparationSettings, Preparer
from flame.readers.sample import RawReader


@dataclass(frozen=True)
class GroupRecipe:
    """Everything a worker needs, small enough to pickle.

    Attributes:
        name: what the config calls the data set.
        reader: reads the raw data set.
        store_dir: where the store goes.
        preparation: what is measured and how it is stored.
        analyzer: how faces are found.
        openface_dir: folder of OpenFace 2 csv files, if one is given.
    """

    name: str
    reader: RawReader
    store_dir: Path
    preparation: PreparationSettings
    analyzer: AnalyzerSettings
    openface_dir: Path | None

    def described(self) -> dict[str, Any]:
        """Return what the store's content depends on, as plain values.

        Folders are left out: they may be moved.
        """
        # Stores that do not say are from before there were two, all in the camera's.
        frame = self.reader.gaze_frame
        return {
            "data": self.name,
            "reader": self.reader.name,
            "gaze_convention": self.reader.gaze_convention,
            **({} if frame == "camera" else {"gaze_frame": frame}),
            "openface_dir": self.openface_dir is not None,
            **self.reader.settings,
            **self.preparation.recipe(),
            **(asdict(self.analyzer) if self.preparation.detects_faces else {}),
        }

    def count(self, group: str) -> int:
        """Return how many items a group has; errors as the reader's."""
        return self.reader.count(group)

    def fingerprint(self, group: str) -> str | None:
        """Return the reader's; errors as it."""
        return self.reader.fingerprint(group)

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        """Write one group; see `make_group`."""
        return make_group(self, group, on_item)


def make_group(recipe: GroupRecipe, group: str, on_item: Callable[[], object]) -> str | None:
    """Write one group to the store.

    Args:
        recipe: what to make.
        group: of the reader's.
        on_item: called after every item, usable or not.

    Returns:
        Why it failed, or None; then the group is there.
    """
    try:
        preparer = _preparer(
            recipe.preparation, recipe.analyzer, recipe.openface_dir, recipe.reader.gaze_convention
        )
        # Before the images: what changes while they are read shows in the next run.
        made_from = recipe.fingerprint(group)
        with GroupWriter(recipe.store_dir, group, made_from) as writer:
            for item in recipe.reader.read(group):
                result = item if isinstance(item, Skipped) else preparer.prepare(item)
                if isinstance(result, Skipped):
                    writer.skip(result)
                else:
                    writer.add(*result)
                on_item()
    # Whatever is wrong with one group must not cost the others; the next run tries it again.
    except Exception as error:
        return explained(error)
    return None


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
