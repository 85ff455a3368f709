"""Inputs on which a reader has failed: none may again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz.campaign import KEPT_DIR
from fuzz.targets import TARGETS
from fuzz.trial import Trial

BY_NAME = {target.name: target for target in TARGETS}
KEPT = sorted(path for path in KEPT_DIR.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial() as trial:
        yield trial


@pytest.mark.parametrize("path", KEPT, ids=lambda path: str(path.relative_to(KEPT_DIR)))
def test_it_is_read_or_refused_by_name(trial: Trial, path: Path) -> None:
    name, *file = path.parent.relative_to(KEPT_DIR).parts
    outcome = trial.give(BY_NAME[name], "/".join(file), path.read_bytes())
    assert not outcome.is_failure, outcome.what
