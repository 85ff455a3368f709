"""Gaze360's head crops -> face store, to pretrain a backbone on."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from common.media.image_codec import decode_image
from common.preprocessing.preprocessor import StorePreprocessor
from common.preprocessing.recipe import GroupReader, StoreRecipe
from common.preprocessing.report import StoreReport
from common.store.skipped import Skipped
from common.store.writing import Row
from gazepose.pretraining.gaze360_lists import LISTS, ListedFace, recordings

CONVENTION = "gaze360"


@dataclass(frozen=True)
class Gaze360Reader(GroupReader[Row]):
    """Reads recordings: ``raw_dir`` holds ``imgs``, ``lists_dir`` the lists.

    Head crops are not compared with what was made from them.
    """

    raw_dir: Path
    lists_dir: Path
    name = "gaze360"

    @property
    def settings(self) -> dict[str, Any]:
        """Return the convention of the gaze angles."""
        return {"gaze_convention": CONVENTION}

    def groups(self) -> list[str]:
        """Return the recordings of all lists."""
        return list(recordings(self.lists_dir))

    def count(self, group: str) -> int:
        """Return how many faces a recording has."""
        return len(recordings(self.lists_dir)[group])

    def read(self, group: str) -> Iterator[Row | Skipped]:
        """Yield a recording's rows, their images byte by byte as they are."""
        for face in recordings(self.lists_dir)[group]:
            path = self.raw_dir / "imgs" / face.name
            encoded = path.read_bytes() if path.is_file() else b""
            if decode_image(encoded) is None:
                yield Skipped(face.name, face.subject, group, "missing or damaged image")
            else:
                yield encoded, _row(face)


class Gaze360Recipe(StoreRecipe[Row]):
    """Copies recordings into a store."""

    def rows(self, group: str, on_item: Callable[[], object]) -> Iterator[Row | Skipped]:
        """Yield the rows of one recording; call `on_item` after every face."""
        for row in self.reader.read(group):
            yield row
            on_item()


def _row(face: ListedFace) -> dict[str, Any]:
    return {
        "sample_id": face.name,
        "subject": face.subject,
        "part": face.part,
        "gaze_yaw_rad": face.gaze[0],
        "gaze_pitch_rad": face.gaze[1],
    }


@dataclass(frozen=True)
class Gaze360Report(StoreReport):
    """What the store holds and what could not be used.

    Attributes:
        counts: faces by part, as the lists have them.
    """

    counts: dict[str, int]

    def counts_text(self) -> str:
        """Return the counts by part."""
        lines = [f"{part}: {count} faces listed" for part, count in self.counts.items()]
        return "\n".join([*lines, f"{len(self.skipped)} images skipped"])


class Gaze360Preprocessor(StorePreprocessor[Gaze360Recipe]):
    """Makes the face store of Gaze360: a head crop a row, with its gaze; a recording a group."""

    def __init__(
        self,
        name: str,
        raw_dir: str | Path,
        lists_dir: str | Path,
        store_dir: str | Path,
        shard: str = "0/1",
        num_workers: int = 2,
    ) -> None:
        self._lists_dir = Path(lists_dir)
        reader = Gaze360Reader(Path(raw_dir), self._lists_dir)
        super().__init__(Gaze360Recipe(name, reader, Path(store_dir)), shard, num_workers)

    def _report(self, skipped: list[dict[str, str]], failed: dict[str, str]) -> Gaze360Report:
        faces = chain.from_iterable(recordings(self._lists_dir).values())
        counts = Counter(face.part for face in faces)
        listed = {part: counts[part] for part in LISTS if part in counts}
        return Gaze360Report(skipped, failed, listed)
