from pathlib import Path

import pytest
from builders.seeded_store import write_seeded_store


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    return write_seeded_store(tmp_path / "store")
