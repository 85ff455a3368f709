"""MediaPipe's two releases: with the solutions and their models, and today's, without."""

import sys
from pathlib import Path

import pytest

from common.faces.mediapipe.release import has_solutions

needs_solutions = pytest.mark.skipif(
    not has_solutions(), reason="this MediaPipe's wheel holds no models"
)


def install_without_solutions(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let a folder's empty package be found as MediaPipe."""
    (folder / "mediapipe").mkdir()
    (folder / "mediapipe" / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)


def install_without_models(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let there be no place to keep MediaPipe's models, either."""
    install_without_solutions(monkeypatch, folder)
    (folder / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "file"))
