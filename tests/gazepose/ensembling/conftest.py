from pathlib import Path

import pytest
from builders.small_members import three_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Nobody changes them."""
    return three_runs(tmp_path_factory.mktemp("runs"))
