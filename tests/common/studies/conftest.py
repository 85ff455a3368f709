"""What tests of studies share."""

from collections.abc import Callable, Iterator

import pytest
from builders.train_script import train_script_here


@pytest.fixture
def train_script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """`train.py` in this process: takes what is typed, returns the exit status."""
    with train_script_here(monkeypatch) as run:
        yield run
