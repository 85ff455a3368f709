"""Tables of a benchmark that has so much time and no more, as Markdown and as JSON."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from common.files.atomic import write_text_atomically

Row = dict[str, Any]


class Work(NamedTuple):
    """Something to measure: a row of a table, and about how many seconds that takes."""

    table: str
    name: str
    needs_s: float
    measure: Callable[[], Row]


class ResultTables:
    """What was measured, what there was no time for, and what failed.

    Args:
        path: of the two files, without suffix; they are written anew after each row.
        machine: what the numbers are of.
        end_s: when all is to be over, by `time.perf_counter`.
    """

    def __init__(self, path: Path, machine: Mapping[str, Any], end_s: float) -> None:
        self._path, self._machine, self.end_s = path, machine, end_s
        self.tables: dict[str, list[Row]] = {}
        self.skipped: list[str] = []
        self.failed: list[str] = []

    def add(self, work: Work) -> None:
        """Measure something, if there is time for it."""
        what = f"{work.table}: {work.name}"
        if self.left_s < work.needs_s:
            self.skipped.append(what)
        else:
            try:
                row = work.measure()
            # Of whatever kind: a lack of memory or of a compiler must not cost the other rows.
            except Exception as error:
                self.failed.append(f"{what}: {type(error).__name__}: {str(error)[:300]}")
            else:
                self.tables.setdefault(work.table, []).append({"what": work.name, **row})
        self._write()

    @property
    def left_s(self) -> float:
        """Return how many seconds are left."""
        return self.end_s - time.perf_counter()

    def markdown(self) -> str:
        """Return the tables, and below them what is not in them."""
        said = [f"{name} {value}" for name, value in self._machine.items() if value is not None]
        parts = [", ".join(said)]
        parts += [f"## {name}\n\n{_markdown_table(rows)}" for name, rows in self.tables.items()]
        parts += [
            f"## {name}\n\n" + "\n".join(f"- {item}" for item in items)
            for name, items in self._lacking().items()
            if items
        ]
        return "\n\n".join(parts) + "\n"

    def _lacking(self) -> dict[str, list[str]]:
        return {"skipped, for lack of time": self.skipped, "failed": self.failed}

    def _write(self) -> None:
        content = {"machine": dict(self._machine), "tables": self.tables, **self._lacking()}
        write_text_atomically(self._path.with_suffix(".json"), json.dumps(content, indent=1) + "\n")
        write_text_atomically(self._path.with_suffix(".md"), self.markdown())


def _markdown_table(rows: list[Row]) -> str:
    """Return rows as a table; what a row lacks is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(name)) for name in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    """Return a value as text, a number to three digits."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "" if value is None else str(value)
