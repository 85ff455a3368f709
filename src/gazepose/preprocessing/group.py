"""One clip -> its pack and table; the work of one process.

Nothing here imports torch: every spawned worker would spend seconds on it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from common.files.checksums import plain_digest
from common.preprocessing.recipe import StoreRecipe
from common.store.skipped import Skipped
from common.store.writing import GroupWriter, Row
from gazepose.preprocessing.clip_faces import clip_faces
from gazepose.preprocessing.preparation import PreparationSettings, Preparer
from gazepose.preprocessing.prior_check import preparation_of, prior_sizes
from gazepose.preprocessing.rows import row_of
from gazepose.readers.sample import RawFace, RawReader
from gazepose.store.reading import FRAMES_FILE


@dataclass(frozen=True)
class GroupRecipe(StoreRecipe[RawFace]):
    """Makes clips of a store.

    Attributes:
        preparation: what is measured and how it is stored.
    """

    reader: RawReader
    preparation: PreparationSettings

    def described(self) -> dict[str, Any]:
        """Return what the store's content depends on, as plain values; folders may be moved."""
        return {**super().described(), **self.preparation.recipe()}

    def fingerprint(self, group: str) -> str | None:
        """Return what a group would be made from now; errors as the reader's.

        Prior files that nothing is taken from are not asked for.
        """
        made_from = super().fingerprint(group)
        priors = prior_sizes(self.reader, self.preparation, group)
        return f"{made_from} {plain_digest(priors)}" if made_from and priors else made_from

    def rows(self, group: str, on_item: Callable[[], object]) -> Iterator[Row | Skipped]:
        """Yield the rows of one clip; call `on_item` once a row."""
        preparation = preparation_of(self.reader, self.preparation, group)
        return prepared_rows(self.reader.read(group), preparation, on_item)

    def write(self, writer: GroupWriter, group: str, on_item: Callable[[], object]) -> None:
        """Write the rows of one clip, which takes another's place when all are there."""
        super().write(writer, group, on_item)
        if writer.replaces:
            # It would point into the replaced pack, for ever if the run is interrupted.
            (self.store_dir / FRAMES_FILE).unlink(missing_ok=True)


def prepared_rows(
    items: Iterable[RawFace | Skipped],
    preparation: PreparationSettings,
    on_item: Callable[[], object] = lambda: None,
) -> Iterator[Row | Skipped]:
    """Yield the rows of one group, measured.

    Args:
        items: of a reader.
        preparation: what is measured and how it is stored.
        on_item: called once a row.

    Raises:
        ValueError: If a video cannot be opened at all.
    """
    for item in clip_faces(items, _preparer(preparation), on_item):
        if isinstance(item, Skipped):
            yield item
        else:
            raw, face = item
            yield b"" if face is None else face.encoded, row_of(raw, face, preparation)


@cache
def _preparer(preparation: PreparationSettings) -> Preparer:
    """Return this process's preparer: MediaPipe's graphs are built once a process."""
    return preparation.build()
