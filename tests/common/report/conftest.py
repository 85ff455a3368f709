"""Folders of runs that the report reads."""

from pathlib import Path

import pytest
from builders.small_reports import ROWS, write_gaze_runs, write_lam_runs, write_study
from builders.small_runs import study_plan


@pytest.fixture
def gaze_dir(tmp_path: Path) -> Path:
    return write_gaze_runs(tmp_path / "runs")


@pytest.fixture
def lam_dir(tmp_path: Path) -> Path:
    return write_lam_runs(tmp_path / "runs")


@pytest.fixture
def small_dir(tmp_path: Path) -> Path:
    """A study of two rows and two seeds."""
    return write_study(tmp_path, study_plan(rows=("off", "both"), seeds=(0, 1)))


@pytest.fixture(scope="session")
def whole_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three rows and three seeds, to be read only."""
    return write_study(tmp_path_factory.mktemp("whole"), study_plan(rows=ROWS))
