"""Where tests of loggers keep their stores, and W&B its files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.small_lam_training import write_store


@pytest.fixture(scope="module", autouse=True)
def _staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """W&B keeps a table's files in the home directory, until they are synced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_DATA_DIR", str(tmp_path_factory.mktemp("staging")))
        patch.delenv("WANDB_MODE", raising=False)
        yield


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loggers")
    write_store(folder / "store")
    return folder
