"""What a folder of runs holds: every run whatever its status, and every test they wrote."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common.files.checksums import file_sha256
from common.files.foreign_files import read_csv, shown
from common.files.form import NUMBER, check_form
from common.files.sealed import check_seal, read_json
from common.report.kinds.model_test import TEST_AGAIN, ModelTest
from common.report.kinds.registry import kind_named
from common.report.run import RUN_FORM, Run, lookup
from common.runs.snapshot import FILE_NAME, read_snapshot


@dataclass(frozen=True)
class Unread:
    """A file that could not be used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Results:
    """All runs and tests under a folder; paths of `unread` are absolute or as given."""

    runs_dir: Path
    runs: list[Run]
    tests: list[ModelTest]
    unread: list[Unread]


# Of a start or an epoch.
_NUMBER = re.compile(r"[0-9]{1,9}")
_Summary = tuple[type[ModelTest], Path, Mapping[str, Any]]


def read_results(runs_dir: Path) -> Results:
    """Read every run under a folder, at any depth, and every test summary of these runs.

    Runs with ``debug=`` are no results, and a replay is none beside its run: they count as unread.
    A test that is there twice, with the same predictions (``predict.py split=test`` repeats the one
    after training), counts once.

    Raises:
        ValueError: If there is no run.
    """
    unread: list[Unread] = []
    snapshots = {folder: _snapshot(folder, unread) for folder in _run_folders(runs_dir)}
    reasons = {folder: _no_result(found) for folder, found in snapshots.items()}
    folders = [folder for folder, reason in reasons.items() if reason is None]
    unread += [Unread(folder / FILE_NAME, reason) for folder, reason in reasons.items() if reason]
    summaries = {folder: _summaries(folder, snapshots[folder], unread) for folder in folders}
    # A folder without run.json counts if it holds tests: those of an original's checkpoint.
    kept = [folder for folder in folders if snapshots[folder] or summaries[folder]]
    if not kept and not unread:
        raise ValueError(
            f"no run under {runs_dir}: expected folders with a {FILE_NAME}. Type python train.py "
            "model=flame data=demo_gaze first, or python -m common.report RUNS_DIR"
        )
    kept.sort(key=lambda folder: (_first_start(snapshots[folder]), str(folder)))
    runs = [
        _run(number, folder, runs_dir, snapshots[folder], unread)
        for number, folder in enumerate(kept, start=1)
    ]
    tests = [
        _test(kind(run, path, summary), unread)
        for run in runs
        for kind, path, summary in summaries[run.folder]
    ]
    return Results(runs_dir, runs, tests, unread)


def _run_folders(runs_dir: Path) -> list[Path]:
    folders = {path.parent for path in runs_dir.rglob(FILE_NAME)}
    return sorted(folders | {path.parents[2] for path in runs_dir.rglob("predict/*/*.json")})


def _snapshot(folder: Path, unread: list[Unread]) -> Mapping[str, Any]:
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    try:
        snapshot = read_snapshot(folder)
        check_form(snapshot, RUN_FORM, str(path))
        return snapshot
    except ValueError as error:
        unread.append(Unread(path, str(error)))
        return {"status": "damaged"}


def _no_result(snapshot: Mapping[str, Any]) -> str | None:
    """Return why a run is no result; None if it is one."""
    debug, replayed = lookup(snapshot, "choices.debug"), lookup(snapshot, "config.replay")
    if debug not in (None, "null"):
        return f"debug={debug}: no result"
    return None if replayed is None else f"replay of {replayed}: no result of its own"


def _summaries(folder: Path, snapshot: Mapping[str, Any], unread: list[Unread]) -> list[_Summary]:
    own = sorted(folder.glob("test/*.json"))
    status = snapshot.get("status", "finished")
    if status != "finished":
        unread += [Unread(path, f"of an earlier start; the last one: {status}") for path in own]
        own = []
    found: dict[str, _Summary] = {}
    for path in [*own, *sorted(folder.glob("predict/*/*.json"))]:
        try:
            found.setdefault(*_summary(path))
        except ValueError as error:
            unread.append(Unread(path, str(error)))
    return list(found.values())


def _test(test: ModelTest, unread: list[Unread]) -> ModelTest:
    """Return a test; without its predictions, if they are damaged."""
    try:
        test.predictions()
    except ValueError as error:
        unread.append(Unread(test.path, f"its predictions are not used: {error}"))
        return replace(test, has_sound_predictions=False)
    return test


def _summary(path: Path) -> tuple[str, _Summary]:
    """Return a summary under what is the same for all tests with its predictions and its name."""
    summary = read_json(path, TEST_AGAIN)
    kind = kind_named(lookup(summary, "kind"))
    missing = [key for key in kind.form if key not in summary]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}; {TEST_AGAIN}")
    check_form(summary, {**kind.form, **kind.optional_form}, str(path))
    predictions = path.with_name(path.stem + kind.predictions_suffix)
    if not predictions.is_file():
        return str(path), (kind, path, summary)
    check_seal(predictions, TEST_AGAIN)
    checksum = file_sha256(predictions)
    if summary.get("predictions_sha256") not in (None, checksum):
        raise ValueError(f"{predictions} is damaged (it is not as it was written); {TEST_AGAIN}")
    return f"{path.name} {checksum}", (kind, path, summary)


def _first_start(snapshot: Mapping[str, Any]) -> str:
    starts = snapshot.get("starts")
    return str(starts[0]["time"]) if starts else "~"  # "~" sorts after every date


def _run(
    number: int, folder: Path, runs_dir: Path, snapshot: Mapping[str, Any], unread: list[Unread]
) -> Run:
    name = folder.relative_to(runs_dir).as_posix()
    metric = str(lookup(snapshot, "config.optimized_metric"))
    curve: dict[int, float | None] = {}
    for path in _logs(folder):
        try:
            # Row by row: what stands before the damage counts.
            for epoch, value in _logged(path, metric):
                curve[epoch] = value if value is not None else curve.get(epoch)
        except ValueError as error:
            unread.append(Unread(path, str(error)))
    num_epochs = max(curve) + 1 if curve else None
    values = {epoch: value for epoch, value in curve.items() if value is not None}
    return Run(number, folder.name if name == "." else name, folder, snapshot, num_epochs, values)


def _logs(folder: Path) -> list[Path]:
    """Return the logs of all starts, oldest first: a later start repeats the epoch it resumes."""
    paths = folder.glob("csv/version_*/metrics.csv")
    numbered = {path: path.parent.name.removeprefix("version_") for path in paths}
    there = [path for path, number in numbered.items() if _NUMBER.fullmatch(number)]
    return sorted(there, key=lambda path: int(numbered[path]))


def _logged(path: Path, metric: str) -> Iterator[tuple[int, float | None]]:
    """Yield the epochs of training, each with the metric if its row has it."""
    rows = read_csv(path)
    _, names = next(rows, (0, []))
    for line, row in rows:
        values = {name: text for name, text in zip(names, row, strict=False) if text}
        # Test rows carry an epoch too, the one after the last.
        if "epoch" not in values or not any(key.startswith(("train/", "val/")) for key in values):
            continue
        if not _NUMBER.fullmatch(values["epoch"]):
            raise ValueError(f"{path}, line {line}: epoch is {shown(values['epoch'])}")
        value = _number(values[metric], path, line) if metric in values else None
        yield int(values["epoch"]), value


def _number(text: str, path: Path, line: int) -> float:
    try:
        number = float(text)
        check_form(number, NUMBER, f"{path}, line {line}")
    except ValueError as error:
        raise ValueError(f"{path}, line {line}: got {shown(text)}, expected a number") from error
    return number
