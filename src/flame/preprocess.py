"""A raw data set -> face store, group by group over processes; interrupted runs go on."""

from __future__ import annotations

import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from common.atomic import write_text_atomically
from common.faces.settings import AnalyzerSettings
from common.facestore import (
    EmptyStoreError,
    FaceStore,
    GroupWriter,
    claim_store,
    damaged_groups,
    read_skipped,
    remove_group,
    stored_groups,
    write_skipped,
)
from flame.data import GazeLabels
from flame.label_check import check_label_signs
from flame.layout_export import LayoutSample, export_layout
from flame.openface_source import OpenFaceFolder
from flame.preparation import PreparationSettings, Preparer
from flame.sample import RawReader, Skipped

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreprocessReport:
    """What a store holds and what could not be used."""

    num_faces: int
    skipped: list[dict[str, str]]
    failed_groups: dict[str, str]
    sign_checks: list[str]

    def summary(self) -> str:
        """Return the counts, by reason."""
        reasons = Counter(item["reason"] for item in self.skipped).most_common()
        lines = [f"{self.num_faces} faces stored, {len(self.skipped)} items skipped"]
        lines += [f"  {count:6d}  {reason}" for reason, count in reasons]
        lines += [f"  failed: {group}: {why}" for group, why in self.failed_groups.items()]
        lines += [f"  {message}" for message in self.sign_checks]
        return "\n".join(lines)

    def text(self) -> str:
        """Return the counts and every skipped item with its reason."""
        items = [f"{item['sample_id']}\t{item['reason']}" for item in self.skipped]
        return "\n".join([self.summary(), *items])


@dataclass(frozen=True)
class _Recipe:
    """Everything a worker needs, small enough to pickle."""

    reader: RawReader
    store_dir: Path
    preparation: PreparationSettings
    analyzer: AnalyzerSettings
    openface_dir: Path | None


class FacePreprocessor:
    """Makes the face store of a data set.

    Args:
        reader: reads the raw data set.
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
        reader: RawReader,
        store_dir: str | Path,
        preparation: PreparationSettings,
        analyzer: AnalyzerSettings,
        openface_dir: str | Path | None = None,
        shard: str = "0/1",
        num_workers: int = 2,
    ) -> None:
        needs_openface = "openface" in (preparation.landmarks, preparation.head_pose)
        if needs_openface and openface_dir is None:
            raise ValueError("landmarks or head pose from OpenFace: set data.openface_dir=FOLDER")
        if openface_dir is not None:
            OpenFaceFolder(Path(openface_dir))  # refuses a wrong folder before the first photo
        self._recipe = _Recipe(
            reader=reader,
            store_dir=Path(store_dir),
            preparation=preparation,
            analyzer=analyzer,
            openface_dir=None if openface_dir is None else Path(openface_dir),
        )
        self._shard = parse_shard(shard)
        self._num_workers = num_workers

    def run(self) -> PreprocessReport:
        """Make every group of this shard that is not there yet, and report on the store.

        Raises:
            ValueError: If the store was made with other settings.
        """
        recipe = self._recipe
        claim_store(recipe.store_dir, _described(recipe))
        done = set(stored_groups(recipe.store_dir))
        groups = [group for group in self._own_groups() if group not in done]
        failed = {group: why for group, why in self._make(groups) if why is not None}
        report = _report(recipe.store_dir, failed)
        write_text_atomically(recipe.store_dir / "report.txt", report.text() + "\n")
        return report

    def check(self) -> PreprocessReport:
        """Compare this shard's packs with their checksums, and make the damaged groups again.

        Raises:
            ValueError: As `run`; nothing is removed then.
        """
        store_dir = self._recipe.store_dir
        # Before anything is removed that these settings would make otherwise.
        claim_store(store_dir, _described(self._recipe))
        own = set(self._own_groups())
        for group in own.intersection(damaged_groups(store_dir)):
            LOG.warning("%s is damaged and is made again", group)
            remove_group(store_dir, group)
        return self.run()

    def export(self, out_dir: Path) -> str:
        """Write the store in FLAME's own folder layout, heatmaps included.

        Raises:
            ValueError: If there is no store yet, or the folder holds images already.
        """
        store = FaceStore(self._recipe.store_dir)
        counts = export_layout(layout_samples(store), out_dir, num_samples=len(store))
        return f"{sum(counts.values())} face images of {len(counts)} groups -> {out_dir}"

    def _own_groups(self) -> list[str]:
        number, of = self._shard
        return self._recipe.reader.groups()[number::of]

    def _make(self, groups: list[str]) -> Iterator[tuple[str, str | None]]:
        num_items = {group: self._recipe.reader.count(group) for group in groups}
        with tqdm(total=sum(num_items.values()), unit="photo", desc="preprocess") as bar:
            for group, why in self._results(groups):
                bar.update(num_items[group])
                yield group, why

    def _results(self, groups: list[str]) -> Iterable[tuple[str, str | None]]:
        if self._num_workers == 0 or len(groups) < 2:
            return ((group, _make_group(self._recipe, group)) for group in groups)
        return self._parallel_results(groups)

    def _parallel_results(self, groups: list[str]) -> Iterator[tuple[str, str | None]]:
        # MediaPipe hangs in a forked child.
        context = multiprocessing.get_context("spawn")
        workers = min(self._num_workers, len(groups))
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            jobs: dict[Future[str | None], str] = {
                pool.submit(_make_group, self._recipe, group): group for group in groups
            }
            try:
                for job in as_completed(jobs):
                    yield jobs[job], job.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def parse_shard(shard: str) -> tuple[int, int]:
    """Return (i, n) of ``i/n``.

    Raises:
        ValueError: If it is not of that form with 0 <= i < n.
    """
    number, _, of = shard.partition("/")
    if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
        raise ValueError(f"shard is {shard!r}, expected i/n with 0 <= i < n, e.g. shard=0/4")
    return int(number), int(of)


def layout_samples(store: FaceStore) -> Iterator[LayoutSample]:
    """Yield all rows of a store as samples of FLAME's layout, its folders being the groups."""
    labels = GazeLabels.from_table(store.table)
    for row, group in enumerate(store.table["group_name"]):
        yield LayoutSample(
            subject=group,
            image=store.image(row),
            landmarks=labels.landmarks[row],
            head_pose=labels.head_pose[row],
            gaze=labels.gaze[row],
        )


def _make_group(recipe: _Recipe, group: str) -> str | None:
    """Write one group to the store; return why it failed, or None."""
    skipped: list[Skipped] = []
    try:
        preparer = _preparer(recipe.preparation, recipe.analyzer, recipe.openface_dir)
        with GroupWriter(recipe.store_dir, group) as writer:
            for item in recipe.reader.read(group):
                result = item if isinstance(item, Skipped) else preparer.prepare(item)
                if isinstance(result, Skipped):
                    skipped.append(result)
                else:
                    writer.add(*result)
            write_skipped(recipe.store_dir, group, [asdict(item) for item in skipped])
    except (ValueError, OSError) as error:
        return str(error)
    return None


@cache
def _preparer(
    preparation: PreparationSettings, analyzer: AnalyzerSettings, openface_dir: Path | None
) -> Preparer:
    """Return this process's preparer: MediaPipe's graphs are built once a process."""
    openface = None if openface_dir is None else OpenFaceFolder(openface_dir)
    if preparation.landmarks == "dataset":
        return Preparer(preparation, None, openface)
    return Preparer(preparation, analyzer.build(), openface)


def _described(recipe: _Recipe) -> dict[str, Any]:
    return {
        "data": recipe.reader.name,
        "gaze_convention": recipe.reader.gaze_convention,
        **recipe.reader.settings,
        **recipe.preparation.recipe(),
        **({} if recipe.preparation.landmarks == "dataset" else asdict(recipe.analyzer)),
    }


def _report(store_dir: Path, failed: dict[str, str]) -> PreprocessReport:
    skipped = read_skipped(store_dir)
    try:
        store = FaceStore(store_dir)
    except EmptyStoreError:
        return PreprocessReport(0, skipped, failed, [])
    return PreprocessReport(len(store), skipped, failed, _check_signs(store))


def _check_signs(store: FaceStore) -> list[str]:
    """Return what the eyes in the images say of the labels' signs; warn of a wrong one."""
    labels = GazeLabels.from_table(store.table)
    checks = check_label_signs(labels.landmarks, labels.gaze, labels.head_pose)
    for check in checks:
        if check.is_flipped:
            LOG.warning(check.message)
    return [check.message for check in checks]
