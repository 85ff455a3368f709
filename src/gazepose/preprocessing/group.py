"""One clip -> its pack and table; the work of one process.

Nothing here imports torch: every spawned worker would spend seconds on it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from common.files.checksums import plain_digest
from common.store.skipped import Skipped, explained
from common.store.writing import GroupWriter
from gazepose.preprocessing.clip_faces import clip_faces
from gazepose.preprocessing.preparation import LamPreparation, Preparer
from gazepose.preprocessing.prior_check import preparation_of, prior_sizes
from gazepose.preprocessing.rows import row_of
from gazepose.readers.sample import RawFace, RawReader
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
    reader: RawReader
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
        try:
            # Before the faces: what changes while they are read shows in the next run.
            made_from = self.fingerprint(group)
            with GroupWriter(self.store_dir, group, made_from) as writer:
                preparation = preparation_of(self.reader, self.preparation, group)
                write_faces(writer, self.reader.read(group), preparation, on_item)
                if writer.replaces:
                    # It would point into the replaced pack, for ever if the run is interrupted.
                    (self.store_dir / FRAMES_FILE).unlink(missing_ok=True)
        # Whatever is wrong with one group must not cost the others; the next run tries it again.
        except Exception as error:
            return explained(error)
        return None


def write_faces(
    writer: GroupWriter,
    items: Iterable[RawFace | Skipped],
    preparation: LamPreparation,
    on_item: Callable[[], object] = lambda: None,
) -> None:
    """Write the rows of one group, measured.

    Args:
        writer: of the group.
        items: of a reader.
        preparation: what is measured and how it is stored.
        on_item: called once a row.

    Raises:
        ValueError: If a video cannot be opened at all.
    """
    for item in clip_faces(items, _preparer(preparation), on_item):
        if isinstance(item, Skipped):
            writer.skip(item)
        else:
            raw, face = item
            writer.add(b"" if face is None else face.encoded, row_of(raw, face, preparation))


@cache
def _preparer(preparation: LamPreparation) -> Preparer:
    """Return this process's preparer: MediaPipe's graphs are built once a process."""
    return preparation.build()
