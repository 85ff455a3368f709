"""One flipped bit in any file that is read again: what is read is as before, or the file is named.

Stores of both lines and of gaze pretraining, a run's folder, a split, ranges, demo data's record.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.small_gaze import write_small_gaze
from builders.small_lam import write_small_lam
from builders.small_runs import gaze_angle_summary
from builders.small_store import write_small_store

from common.files.checksums import arrays_sha256, file_sha256
from common.files.sealed import write_json
from common.report.reading import read_results
from common.runs.snapshot import finish_snapshot, read_snapshot, start_snapshot
from common.store.damage import damaged_groups
from common.store.reading import (
    FaceStore,
    missing_groups,
    read_failures,
    read_made_from,
    read_recipe,
    read_skipped,
    read_table,
)
from common.store.writing import write_expected, write_failure, write_skipped
from common.studies.study import read_failures as read_job_failures
from common.studies.study import record_failure
from common.synthetic.raw_folder import claim_folder
from flame.data.splits import Split, load_split
from flame.data.statistics import Statistics, load_statistics, write_statistics
from gazepose.evaluation.predictions import read_described, write_predictions
from gazepose.store.columns import SCHEMA
from gazepose.store.table import LamTable


@dataclass(frozen=True)
class Plan:
    num_people: int = 2
    shares: tuple[float, ...] = (0.5, 0.25)


# Reads a file through the suite's doors, as something that says all of it.
Read = Callable[[], str]


def table_of(store_dir: Path, group: str) -> str:
    table = read_table(store_dir, group)
    return f"{table.schema} {table.to_dicts()} {read_made_from(store_dir, group)}"


def images_of(store_dir: Path, group: str) -> str:
    store = FaceStore(store_dir)
    rows = np.flatnonzero(store.table["group_name"].to_numpy() == group)
    return arrays_sha256(store.image(int(row)) for row in rows)


def reasons_of(store_dir: Path) -> str:
    """Of a damaged file, the reason is the text that names it."""
    reasons = read_failures(store_dir)
    for reason in reasons.values():
        if str(store_dir) in reason:
            raise ValueError(reason)
    return str(reasons)


def job_reasons_of(study_dir: Path) -> str:
    reasons = read_job_failures(study_dir)
    for reason in reasons.values():
        if str(study_dir) in reason["reason"]:
            raise ValueError(reason["reason"])
    return str(reasons)


def frames_of(store_dir: Path) -> str:
    table = LamTable.read(store_dir, head_pose=True, landmarks=True)
    columns = [name for name in SCHEMA if name != "prior_sharpness_p"]
    rows = table.select(np.arange(len(table)), [*columns, "sharpness_p"])
    priors = arrays_sha256([table.landmarks, table.head_pose_deg])
    return f"{table.sha256()} {priors} {rows.to_dicts()}"


def summaries_of(runs_dir: Path) -> str:
    results = read_results(runs_dir)
    if results.unread:
        raise ValueError("; ".join(f"{found.path}: {found.reason}" for found in results.unread))
    (test,) = results.tests
    return f"{dict(test.summary)} {test.samples()}"


def store_readers(store_dir: Path) -> dict[Path, Read]:
    """Add to a store what a preprocessing writes beside it, and read all of it file by file."""
    groups = sorted(path.stem for path in (store_dir / "tables").iterdir())
    write_expected(store_dir, [*groups, "one that failed", "ä"])
    write_failure(store_dir, "one that failed", "ValueError: no such video ä\nat all")
    readers: dict[Path, Read] = {
        store_dir / "store.json": lambda: str(read_recipe(store_dir)),
        store_dir / "groups.json": lambda: str(missing_groups(store_dir)),
        store_dir / "failed" / "one that failed.txt": lambda: reasons_of(store_dir),
    }
    for group in groups:
        write_skipped(store_dir, group, [{"sample_id": "x", "group": group, "reason": "no face"}])
        readers |= {
            store_dir / "tables" / f"{group}.parquet": lambda g=group: table_of(store_dir, g),
            store_dir / "packs" / f"{group}.pack": lambda g=group: images_of(store_dir, g),
            store_dir / "skipped" / f"{group}.json": lambda g=group: str(
                read_skipped(store_dir, [g])
            ),
        }
    return readers


def run_readers(runs_dir: Path) -> dict[Path, Read]:
    run_dir = runs_dir / "run"
    start_snapshot(
        run_dir,
        config={"seed": 0, "optimized_metric": "val/x"},
        choices={"data": "small"},
        data={"name": "small", "table_sha256": "0" * 64},
        changes={},
    )
    finish_snapshot(run_dir, "finished", {"val/angular_error_deg": 3.25, "test/x": float("nan")})
    errors = pl.DataFrame({"loss_3d": [1.25, 2.5, 3.75], "subject": ["0001", "0001", "0002"]})
    csv = run_dir / "test" / "small.csv"
    csv.parent.mkdir()
    errors.write_csv(csv)
    write_json(
        run_dir / "test" / "small.json",
        gaze_angle_summary(mean_deg=2.5, std_deg=1.25) | {"predictions_sha256": file_sha256(csv)},
    )
    record_failure(runs_dir / "job", ValueError("no such video"))
    return {
        run_dir / "run.json": lambda: str(read_snapshot(run_dir)),
        run_dir / "test" / "small.json": lambda: summaries_of(runs_dir),
        csv: lambda: summaries_of(runs_dir),
        runs_dir / "job" / "failure.json": lambda: job_reasons_of(runs_dir),
    }


def file_readers(folder: Path) -> dict[Path, Read]:
    """Read the files that stand alone."""
    folder.mkdir()
    split, ranges, scores = folder / "split.json", folder / "ranges.json", folder / "x.parquet"
    parts = Split("mine", "made up", "subject", ("a", "b"), ("c",), ("d",))
    write_json(split, asdict(parts))
    statistics = Statistics(-0.5, 0.5, -0.25, 0.25)
    write_statistics(ranges, statistics, np.zeros((2, 112)), {"gaze_convention": "x"})
    table = pl.DataFrame({"uid": ["a", "b"], "label": [0, 1], "score": [0.25, 0.75]})
    write_predictions(table, {"tested_on": "small", "part": "val", "protocol": {}}, scores)
    claim_folder(folder, "x", Plan())
    return {
        split: lambda: str(load_split(split)),
        ranges: lambda: str(load_statistics(ranges)),
        scores: lambda: str(read_described(scores)),
        folder / "demo.json": lambda: str(claim_folder(folder, "x", Plan())),
    }


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Read]:
    folder = tmp_path_factory.mktemp("flips")
    write_small_store(folder / "gaze_store", num_subjects=2, num_faces=2)
    write_small_lam(folder / "lam_store", num_frames=6)
    write_small_gaze(folder / "gaze360_store", num_people=2, num_faces=3)
    found: dict[Path, Read] = {}
    for name in ("gaze_store", "lam_store", "gaze360_store"):
        found |= store_readers(folder / name)
    found[folder / "lam_store" / "frames.parquet"] = lambda: frames_of(folder / "lam_store")
    found |= run_readers(folder / "runs") | file_readers(folder / "files")
    left_out = {path for path in folder.rglob("*") if path.is_file()} - set(found)
    assert not left_out, "every file has a reader"
    return found


def said(read: Read) -> tuple[str, bool]:
    """What is read, or the error and that it is one."""
    try:
        return read(), False
    except ValueError as error:
        return str(error), True


def wrong_values(readers: dict[Path, Read], num_flips: int) -> dict[str, int]:
    """Flip bits of files drawn at random, one at a time; count by file what is read wrong."""
    generator = np.random.default_rng(13)
    paths = sorted(readers)
    before = {path: said(readers[path]) for path in paths}
    assert not any(is_error for _, is_error in before.values()), before
    wrong: dict[str, int] = {}
    for _ in range(num_flips):
        path = paths[generator.integers(len(paths))]
        content = path.read_bytes()
        place, bit = generator.integers(len(content)), generator.integers(8)
        changed = bytearray(content)
        changed[place] ^= 1 << int(bit)
        path.write_bytes(changed)
        found, is_error = said(readers[path])
        path.write_bytes(content)
        if (found, is_error) != before[path] and not (is_error and path.name in found):
            wrong[path.name] = wrong.get(path.name, 0) + 1
    return wrong


def test_no_flipped_bit_is_read_as_another_value(readers: dict[Path, Read]) -> None:
    assert wrong_values(readers, 150) == {}


@pytest.mark.slow
def test_no_flipped_bit_of_thousands_is_read_as_another_value(readers: dict[Path, Read]) -> None:
    assert wrong_values(readers, 5000) == {}


@pytest.mark.parametrize("kind", ["tables/s0.parquet", "packs/s0.pack", "skipped/s0.json"])
def test_a_flipped_bit_makes_its_group_one_to_repair(
    kind: str, readers: dict[Path, Read], tmp_path: Path
) -> None:
    path = next(path for path in readers if path.as_posix().endswith(f"gaze_store/{kind}"))
    store_dir, content = path.parents[1], path.read_bytes()
    for place in np.random.default_rng(0).integers(len(content), size=20):
        changed = bytearray(content)
        changed[place] ^= 4
        path.write_bytes(changed)
        assert damaged_groups(store_dir) == ["s0"]
        path.write_bytes(content)
    assert damaged_groups(store_dir) == []
