"""One clip -> its pack and table; the work of one process.

Nothing here imports torch: every spawned worker would spend seconds on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from common.store.skipped import Skipped, explained
from common.store.writing import GroupWriter
from gazepose.preprocessing.preparation import Float, Image, LamPreparation, Preparer
from gazepose.preprocessing.prior_check import prior_sizes
from gazepose.preprocessing.rows import row_of
from gazepose.readers.sample import FacePreparer, LamReader, PreparedFace
from gazepose.readers.source_digest import plain_digest
from gazepose.store.reading import FRAMES_FILE


@dataclass(frozen=True)
class LamRecipe:
    """Everything a worker needs, small enough to pickle.

    Attributes:
        name: what the config calls the data set.
        reader: reads the raw data set.
        store_dir: where the store goes.
        preparation: what is measured and how it is stored.
    """

    name: str
    reader: LamReader
    store_dir: Path
    preparation: LamPreparation

    def described(self) -> dict[str, Any]:
        """Return what the store's content depends on, as plain values; folders may be moved."""
        return {
            "data": self.name,
            "reader": self.reader.name,
            **self.reader.settings,
            **self.preparation.recipe(),
        }

    def count(self, group: str) -> int:
        """Return how many faces a group has; errors as the reader's."""
        return self.reader.count(group)

    def fingerprint(self, group: str) -> str | None:
        """Return what a group would be made from now; errors as the reader's.

        Prior files that nothing is taken from are not asked for.
        """
        made_from = self.reader.fingerprint(group)
        priors = prior_sizes(self.reader, self.preparation, group)
        return f"{made_from} {plain_digest(priors)}" if made_from and priors else made_from

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        """Write one group to the store.

        Args:
            group: of the reader's.
            on_item: called once a row.

        Returns:
            Why it failed, or None; then the group is there.
        """
        counted = _CountedPreparer(_preparer(self.preparation), on_item)
        try:
            _write(self, group, counted)
        # Whatever is wrong with one group must not cost the others; the next run tries it again.
        except Exception as error:
            return explained(error)
        return None


class _CountedPreparer:
    """Tells of every face when it is prepared: a clip's rows come only after its last frame."""

    def __init__(self, preparer: FacePreparer, on_item: Callable[[], object]) -> None:
        self._preparer = preparer
        self._on_item = on_item
        self._num_told = 0

    def from_frame(self, frame: Image, bbox_xyxy_px: Float) -> PreparedFace | None:
        self._tell()
        return self._preparer.from_frame(frame, bbox_xyxy_px)

    def from_file(self, encoded: bytes) -> PreparedFace:
        self._tell()
        return self._preparer.from_file(encoded)

    def catch_up(self, num_rows: int) -> None:
        """Tell of rows for which there was nothing to prepare."""
        while self._num_told < num_rows:
            self._tell()

    def _tell(self) -> None:
        self._num_told += 1
        self._on_item()


def _write(recipe: LamRecipe, group: str, preparer: _CountedPreparer) -> None:
    num_rows = 0
    # Before the faces: what changes while they are read shows in the next run.
    made_from = recipe.fingerprint(group)
    with GroupWriter(recipe.store_dir, group, made_from) as writer:
        for item in recipe.reader.faces(group, preparer):
            if isinstance(item, Skipped):
                writer.skip(item)
                continue
            encoded = b"" if item.face is None else item.face.encoded
            writer.add(encoded, row_of(item, recipe.preparation))
            num_rows += 1
        preparer.catch_up(num_rows)
        if writer.replaces:
            # It would point into the replaced pack, for ever if the run is interrupted.
            (recipe.store_dir / FRAMES_FILE).unlink(missing_ok=True)


@cache
def _preparer(preparation: LamPreparation) -> Preparer:
    """Return this process's preparer: MediaPipe's graphs are built once a process."""
    return preparation.build()
