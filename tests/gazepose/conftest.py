"""What several rooms of the eye-contact tests stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.small_lam_data import write_lam_store
from builders.small_lam_training import write_store
from builders.small_training import one_thread
from builders.written_results import undrawn


@pytest.fixture(scope="session")
def training_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that `builders.small_lam_training` trains on."""
    folder = tmp_path_factory.mktemp("training") / "store"
    write_store(folder)
    return folder


@pytest.fixture(scope="session")
def lam_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of `builders.small_lam_data`."""
    return write_lam_store(tmp_path_factory.mktemp("lam") / "store")


@pytest.fixture(scope="module")
def _undrawn() -> Iterator[None]:
    with undrawn():
        yield


@pytest.fixture
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield
