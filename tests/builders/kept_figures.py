"""The figures that are saved, kept for a look at what they show."""

from typing import Any

import pytest
from matplotlib.figure import Figure


def kept_figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Keep every figure that is saved from here on."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *arguments: Any, **settings: Any) -> None:
        figures.append(self)
        save(self, *arguments, **settings)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures
