"""The scripts in benchmarks/ as modules."""

import importlib
import sys
from typing import Any

import pytest

from builders.small_training import REPO_DIR

BENCHMARKS_DIR = REPO_DIR / "benchmarks"


def benchmark(monkeypatch: pytest.MonkeyPatch, name: str) -> Any:
    """Return a benchmark, which finds those beside it as it does as a script."""
    monkeypatch.syspath_prepend(str(BENCHMARKS_DIR))
    for path in BENCHMARKS_DIR.glob("*.py"):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    return importlib.import_module(name)
