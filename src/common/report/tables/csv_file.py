"""Numbers as csv, unrounded."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from common.report.kinds.model_test import ModelTest

_TESTED = ("run", "status", "model", "model_key", "width", "trained_on", "tested_on", "part")
_SAMPLES = ("seed", "num_samples")
_TRAINED = ("num_epochs", "max_epochs", "precision", "commit", "file", "kind")


def csv_text(lines: Sequence[Mapping[str, Any]], columns: Collection[str] | None = None) -> str:
    """Return lines as csv, empty where a line has no value; the columns are all that occur."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns or _names(lines), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def as_csv(tests: Sequence[ModelTest]) -> str:
    """Return one line a test with all its numbers; protocols side by side.

    Tests of several kinds share the columns that mean the same, and leave the others empty.
    """
    conditions, numbers = ([getattr(t, part) for t in tests] for part in ("conditions", "numbers"))
    columns = [*_TESTED, *_names(conditions), *_SAMPLES, *_names(numbers), *_TRAINED]
    parts = zip(map(_shared, tests), conditions, numbers, strict=True)
    return csv_text([{**shared, **how, **what} for shared, how, what in parts], columns)


def _names(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for line in lines for name in line))


def _shared(test: ModelTest) -> dict[str, Any]:
    run, summary = test.run, test.summary
    return {
        **{"run": run.name, "status": run.status, "model": test.model},
        "model_key": summary["model"],
        **{name: summary[name] for name in ("trained_on", "tested_on", "part", "num_samples")},
        "seed": run.setting("config.seed"),
        "width": run.setting("config.model.width"),
        "num_epochs": run.num_epochs,
        **{n: run.setting(f"config.trainer.{n}") for n in ("max_epochs", "precision")},
        "commit": run.setting("git.commit"),
        "file": test.path.relative_to(run.folder).as_posix(),
        "kind": test.kind_name,
    }
