"""All numbers of all tests as csv."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from common.report.kinds.model_test import ModelTest

_TESTED = ("run", "status", "model", "model_key", "width", "trained_on", "tested_on", "part")
_SAMPLES = ("seed", "num_samples")
_TRAINED = ("num_epochs", "max_epochs", "precision", "commit", "file", "kind")


def as_csv(tests: Sequence[ModelTest]) -> str:
    """Return one line a test with all its numbers unrounded; protocols side by side.

    Tests of several kinds share the columns that mean the same, and leave the others empty.
    """
    file = io.StringIO()
    conditions = [test.conditions for test in tests]
    numbers = [test.numbers for test in tests]
    columns = (*_TESTED, *_names(conditions), *_SAMPLES, *_names(numbers), *_TRAINED)
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for test, *own in zip(tests, conditions, numbers, strict=True):
        writer.writerow({**_shared(test), **own[0], **own[1]})
    return file.getvalue()


def _names(lines: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(name for line in lines for name in line))


def _shared(test: ModelTest) -> dict[str, Any]:
    run, summary = test.run, test.summary
    return {
        "run": run.name,
        "status": run.status,
        "model": test.model,
        "model_key": summary["model"],
        "width": run.setting("config.model.width"),
        "trained_on": summary["trained_on"],
        "tested_on": summary["tested_on"],
        "part": summary["part"],
        "seed": run.setting("config.seed"),
        "num_samples": summary["num_samples"],
        "num_epochs": run.num_epochs,
        "max_epochs": run.setting("config.trainer.max_epochs"),
        "precision": run.setting("config.trainer.precision"),
        "commit": run.setting("git.commit"),
        "file": test.path.relative_to(run.folder).as_posix(),
        "kind": test.kind_name,
    }
