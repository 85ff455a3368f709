"""What the report knows of a run, and of one test of its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from common.report.kinds.kind import ResultKind

NO_RUN = "no run"


@dataclass(frozen=True)
class Run:
    """A run, finished or not.

    Attributes:
        number: 1, 2, ... by time of the first start; what tables and figures call it.
        name: its folder below the folder of runs.
        folder: where it lies.
        snapshot: its run.json; empty for tests of an original's checkpoint, which has no run.
        num_epochs: trained so far; None without a csv log.
        val_curve: the optimised metric (of validation) by epoch, over all starts.
    """

    number: int
    name: str
    folder: Path
    snapshot: Mapping[str, Any]
    num_epochs: int | None
    val_curve: Mapping[int, float]

    @property
    def status(self) -> str:
        """``finished``, ``failed``, ``interrupted``, ``running`` (or killed), ``no run``."""
        return str(self.snapshot.get("status", NO_RUN))

    @property
    def metric(self) -> str | None:
        """The optimised metric; None where there is no readable run.json."""
        return self.setting("config.optimized_metric")

    def setting(self, path: str) -> Any:
        """Return an entry of run.json by its dotted path, e.g. ``config.seed``; None if absent."""
        return lookup(self.snapshot, path)


@dataclass(frozen=True)
class ModelTest:
    """A test of a model: its numbers and the run it belongs to.

    Attributes:
        run: the tested run.
        path: the json; predictions (.csv) and figure (.png) lie beside it.
        summary: the json's content.
        kind: what was measured.
    """

    run: Run
    path: Path
    summary: Mapping[str, Any]
    kind: ResultKind

    @property
    def model(self) -> str:
        """The model's name here, or in the original if that is all that is known."""
        return str(self.run.setting("config.model.name") or self.summary["model"])

    @property
    def settings(self) -> Mapping[str, Any]:
        """What sets it apart from other tests of its kind, by name."""
        return self.kind.settings(self.run, self.summary)

    @property
    def folder(self) -> str:
        """Where in the run it lies: ``test`` after training, ``predict/NAME`` of predict.py."""
        return self.path.parent.relative_to(self.run.folder).as_posix()


def lookup(values: Any, path: str) -> Any:
    """Return an entry of nested mappings by its dotted path; None if absent."""
    for key in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values
