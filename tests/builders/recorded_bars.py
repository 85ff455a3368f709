"""The progress bars of preprocessing, kept for a look at where they end."""

from typing import Any

import pytest
from tqdm import tqdm

from common.preprocessing import pool as preprocess_pool


class RecordedBar(tqdm):
    """A bar that tells what it counts."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.counted: str = settings["unit"]


def recorded_bars(monkeypatch: pytest.MonkeyPatch) -> list[RecordedBar]:
    """Return the list that takes every bar from now on."""
    bars: list[RecordedBar] = []

    def record(*args: Any, **settings: Any) -> RecordedBar:
        bars.append(RecordedBar(*args, **settings))
        return bars[-1]

    monkeypatch.setattr(preprocess_pool, "tqdm", record)
    return bars
