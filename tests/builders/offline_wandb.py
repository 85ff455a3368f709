"""Reads back what W&B wrote offline, as `wandb sync` would."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2
from wandb.sdk.internal.datastore import DataStore


@dataclass
class OfflineRun:
    """One W&B run; nested keys are joined by dots, as in a dashboard."""

    folder: Path
    name: str = ""
    group: str = ""
    job_type: str = ""
    initial_config: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    artifacts: list[tuple[str, list[str], list[str]]] = field(default_factory=list)
    exit_code: int | None = None

    def scalars(self) -> dict[str, list[tuple[int, float]]]:
        """(step, value) of every curve, by name."""
        curves: dict[str, list[tuple[int, float]]] = {}
        for row in self.history:
            for name, value in row.items():
                is_own = not name.startswith(("_", "trainer/"))
                if is_own and isinstance(value, int | float):
                    curves.setdefault(name, []).append((row["trainer/global_step"], value))
        return curves

    def media(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """What was logged of a type as ``table-file``, by name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.history:
            for name, value in row.items():
                if isinstance(value, dict) and value.get("_type") == kind:
                    found.setdefault(name, []).append(value)
        return found


def offline_runs(run_dir: Path) -> list[OfflineRun]:
    """All W&B runs of a run folder, in the order they began."""
    return [closed_run(path) for path in sorted((run_dir / "wandb").glob("offline-run-*/*.wandb"))]


def closed_run(path: Path) -> OfflineRun:
    """A run that was closed: W&B's own process writes the last records a moment after."""
    for _ in range(100):
        with suppress(AssertionError):  # a record half written
            run = read_run(path)
            if run.exit_code is not None:
                return run
        time.sleep(0.1)
    raise AssertionError(f"{path} was never closed")


def read_run(path: Path) -> OfflineRun:
    run = OfflineRun(path.parent)
    for record in _records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.name, run.group = record.run.display_name, record.run.run_group
            run.job_type = record.run.job_type
            run.initial_config = _updated({}, record.run.config.update)
            run.config = dict(run.initial_config)
        elif kind == "config":
            _updated(run.config, record.config.update)
        elif kind == "history":
            run.history.append(_updated({}, record.history.item))
        elif kind == "summary":
            _updated(run.summary, record.summary.update)
        elif kind == "files":
            run.files += [item.path for item in record.files.files]
        elif kind == "artifact":
            artifact = record.artifact
            paths = [entry.local_path for entry in artifact.manifest.contents]
            run.artifacts.append((artifact.type, list(artifact.aliases), paths))
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def _records(path: Path) -> Iterator[Any]:
    store = DataStore()
    store.open_for_scan(str(path))
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        yield record


def _updated(values: dict[str, Any], updates: Any) -> dict[str, Any]:
    for update in updates:
        *outer, last = list(update.nested_key) or [update.key]
        place = values
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = json.loads(update.value_json)
    return values
