"""The recorded numbers of the original FLAME, and a small store that tests only read."""

from pathlib import Path

import pytest
from builders.golden_flame import GOLDEN_DIR, Golden
from builders.small_store import write_small_store


@pytest.fixture(scope="session")
def golden() -> Golden:
    return Golden()


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    return GOLDEN_DIR


@pytest.fixture(scope="session")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "store"
    write_small_store(folder)
    return folder
