"""Gaze360's head crops -> face store, to pretrain a backbone on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from common.files.atomic import write_text_atomically
from common.media.image_codec import decode_image
from common.preprocessing.check import CheckReport, check_store
from common.preprocessing.share import (
    Share,
    item_lines,
    make_share,
    parse_shard,
    problem_lines,
    warn_of_failures,
)
from common.store.reading import read_failures, read_skipped
from common.store.skipped import Skipped, explained
from common.store.writing import GroupWriter, worked_at
from gazepose.pretraining.gaze360_lists import LISTS, ListedFace, recordings

CONVENTION = "gaze360"


@dataclass(frozen=True)
class Gaze360Maker:
    """Copies recordings into the store; small enough to pickle.

    Attributes:
        raw_dir: holds ``imgs``.
        lists_dir: holds the lists.
        store_dir: where the store goes.
    """

    raw_dir: Path
    lists_dir: Path
    store_dir: Path

    def count(self, group: str) -> int:
        """Return how many faces a recording has."""
        return len(recordings(self.lists_dir)[group])

    def fingerprint(self, group: str) -> None:
        """Return nothing: head crops are not compared with what was made from them."""

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        """Write one recording's images, byte by byte as they are; return why it failed, or None."""
        try:
            self._write(group, on_item)
        # Whatever is wrong with one recording must not cost the others.
        except Exception as error:
            return explained(error)
        return None

    def _write(self, group: str, on_item: Callable[[], object]) -> None:
        with GroupWriter(self.store_dir, group) as writer:
            for face, encoded in self._images(recordings(self.lists_dir)[group]):
                if decode_image(encoded) is None:
                    why = "missing or damaged image"
                    writer.skip(Skipped(face.name, face.subject, group, why))
                else:
                    writer.add(encoded, _row(face))
                on_item()

    def _images(self, faces: Sequence[ListedFace]) -> Iterator[tuple[ListedFace, bytes]]:
        for face in faces:
            path = self.raw_dir / "imgs" / face.name
            yield face, path.read_bytes() if path.is_file() else b""


def _row(face: ListedFace) -> dict[str, Any]:
    return {
        "sample_id": face.name,
        "subject": face.subject,
        "part": face.part,
        "gaze_yaw_rad": face.gaze[0],
        "gaze_pitch_rad": face.gaze[1],
    }


@dataclass(frozen=True)
class Gaze360Report:
    """What the store holds and what could not be used.

    Attributes:
        counts: faces by part, as the lists have them.
        skipped: ``sample_id`` and ``reason`` of images that could not be used.
        failed_groups: why recordings could not be made.
    """

    counts: dict[str, int]
    skipped: list[dict[str, str]]
    failed_groups: dict[str, str]

    @property
    def has_errors(self) -> bool:
        """Whether recordings could not be made."""
        return bool(self.failed_groups)

    def summary(self) -> str:
        """Return the counts, then what went wrong by reason."""
        lines = [f"{part}: {count} faces listed" for part, count in self.counts.items()]
        lines.append(f"{len(self.skipped)} images skipped")
        return "\n".join([*lines, *problem_lines(self.skipped, self.failed_groups)])


class Gaze360Preprocessor:
    """Makes the face store of Gaze360: a head crop a row, with its gaze.

    Args:
        name: what the config calls the data set.
        raw_dir: holds ``imgs``.
        lists_dir: holds the lists.
        store_dir: where the store goes.
        shard: ``i/n``: this run takes every n-th recording, starting with the i-th (from 0).
        num_workers: processes; 0 works in this one.
    """

    def __init__(
        self,
        name: str,
        raw_dir: str | Path,
        lists_dir: str | Path,
        store_dir: str | Path,
        shard: str = "0/1",
        num_workers: int = 2,
    ) -> None:
        self._name = name
        self._maker = Gaze360Maker(Path(raw_dir), Path(lists_dir), Path(store_dir))
        self._store_dir = Path(store_dir)
        self._shard = parse_shard(shard)
        self._num_workers = num_workers

    def run(self) -> Gaze360Report:
        """Copy every recording of this shard that is not there yet.

        Raises:
            ValueError: If the lists are missing or damaged, or the store is another data set's.
        """
        with worked_at(self._store_dir):
            return self._make(repairs=False)

    def repair(self) -> Gaze360Report:
        """Do as `run`, and copy this shard's damaged recordings again.

        Raises:
            ValueError: As `run`.
        """
        with worked_at(self._store_dir):
            return self._make(repairs=True)

    def check(self) -> CheckReport:
        """Say which recordings of this shard are missing or damaged; nothing is changed."""
        return check_store(self._store_dir, self._share)

    def export(self, out_dir: Path, *, heatmaps: bool = True) -> str:
        """Refuse: only FLAME has a folder layout of its own to write.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"mode=export writes FLAME's folder layout to {out_dir}; this has none")

    def _make(self, *, repairs: bool) -> Gaze360Report:
        make_share(self._share(), self._num_workers, unit="face", repairs=repairs)
        report = self._report()
        warn_of_failures(report.failed_groups)
        text = "\n".join([report.summary(), *item_lines(report.skipped)])
        write_text_atomically(self._store_dir / "report.txt", text + "\n")
        return report

    def _share(self) -> Share:
        recipe = {"data": self._name, "reader": "gaze360", "gaze_convention": CONVENTION}
        groups = list(recordings(self._maker.lists_dir))
        return Share(self._store_dir, self._maker, recipe, groups, self._shard)

    def _report(self) -> Gaze360Report:
        faces = chain.from_iterable(recordings(self._maker.lists_dir).values())
        counts = Counter(face.part for face in faces)
        return Gaze360Report(
            counts={part: counts[part] for part in LISTS if part in counts},
            skipped=read_skipped(self._store_dir),
            failed_groups=read_failures(self._store_dir),
        )
