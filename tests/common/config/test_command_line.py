"""A study's command is a multirun from the start, so that Hydra names the mistake in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from builders.small_run import REPO_DIR

from common.config.command_line import with_multirun


@pytest.mark.parametrize("typed", [["sweeps=table3"], ["seed=0", "+sweeps=table3", "data=lam"]])
def test_a_study_is_a_multirun(typed: list[str]) -> None:
    assert with_multirun(typed) == [*typed, "-m"]
    assert with_multirun(with_multirun(typed)) == [*typed, "-m"]


@pytest.mark.parametrize(
    "typed",
    [
        ["model=flame", "data=columbiagaze"],
        ["sweeps=null"],
        ["sweeps=table3", "--cfg", "hydra", "-p", "hydra.launcher"],
        ["--cfg=job", "sweeps=table3"],
        ["sweeps=table3", "--multirun"],
        ["sweeps=table3", "--help"],
    ],
)
def test_other_commands_stay_as_typed(typed: list[str]) -> None:
    assert with_multirun(typed) == typed


def test_a_typo_beside_a_list_of_rows_is_named(tmp_path: Path) -> None:
    typed = ["sweeps=table3", "ablations=spatial_head,spatial_off", "model.learning_rat=1"]
    done = subprocess.run(
        [sys.executable, str(REPO_DIR / "train.py"), *typed],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "learning_rat" in done.stderr
    assert "Ambiguous" not in done.stderr
