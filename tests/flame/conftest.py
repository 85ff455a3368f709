"""The recorded numbers of the original FLAME."""

from pathlib import Path

import pytest
from builders.golden_flame import GOLDEN_DIR, Golden


@pytest.fixture(scope="session")
def golden() -> Golden:
    return Golden()


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    return GOLDEN_DIR
