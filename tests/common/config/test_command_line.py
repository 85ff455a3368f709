"""What is put right in a command: a study is a multirun, and a multirun composes as its jobs do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from builders import toy_job
from builders.small_run import REPO_DIR
from builders.train_script import train_script_here
from omegaconf import OmegaConf

from common.config.command_line import for_hydra, with_first_choices, with_multirun

TOY = Path(toy_job.__file__)


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


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("model=flame,flame_b", "model=flame"),
        ("+model.net.depth=choice(4,5)", "+model.net.depth=4"),
        ("seed=range(2,5)", "seed=2"),
        ("data.reader.parts=[val],[test]", "data.reader.parts=[val]"),
    ],
)
def test_a_list_of_choices_has_its_first_one_before_it(typed: str, first: str) -> None:
    assert with_first_choices(["-m", typed, "x=1"]) == ["-m", first, typed, "x=1"]
    assert for_hydra([typed, "-m"]) == [first, typed, "-m"]
    assert for_hydra([typed]) == [typed]


@pytest.mark.parametrize(
    "typed",
    [
        *("-m", "seed=0", "model=[a,b]", "name='a,b'", "model=glob(*)", "~priors", "model=a,b]"),
        *("lr=interval(0,1)", "hydra/launcher=a,b", "--config-dir=a,b"),
    ],
)
def test_what_is_no_list_of_choices_stays_as_typed(typed: str) -> None:
    assert with_first_choices([typed]) == [typed]


def test_a_search_has_its_choices_to_itself() -> None:
    typed = ["-m", "hydra/sweeper=learning_rate", "model.width=16,32"]
    assert for_hydra(typed) == typed


@pytest.mark.parametrize(
    ("typed", "swept"),
    [
        ("experiment=demo_lam model=gazelstm,gazepose", "model"),
        ("experiment=demo_gaze model=flame,flame_ao", "model"),
        ("data=columbiagaze model=flame,flame_b model.width=8", "model"),
        ("model=gazepose data=ego4d,face_imgs data.datamodule.batch_size=4", "data"),
        ("experiment=demo_gaze,demo_gaze_full model=flame data.datamodule.batch_size=4", "data"),
        ("model=gazelstm,gazepose data=ego4d dropout.margin=0.3", "model"),
        ("data=ego4d ablations=spatial_off,gazepose model.zoom=1.5", "model"),
    ],
)
def test_a_multirun_composes_where_each_of_its_jobs_does(
    typed: str, swept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with train_script_here(monkeypatch, TOY) as script:
        assert script("-m", *typed.split(), f"hydra.sweep.dir={tmp_path}") == 0
    jobs = [OmegaConf.load(tmp_path / job / ".hydra" / "config.yaml") for job in ("0", "1")]
    assert jobs[0][swept].name != jobs[1][swept].name


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ("experiment=demo_gaze model=flame,flame_ao model.widht=8", "widht"),
        ("experiment=demo_gaze model=flame,gazelstm", "'width' not in 'EyeContactModelConfig'"),
    ],
)
def test_a_mistake_in_any_job_ends_a_multirun_before_the_first(
    typed: str,
    mistake: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with train_script_here(monkeypatch, TOY) as script:
        assert script("-m", *typed.split(), f"hydra.sweep.dir={tmp_path}") == 1
    assert mistake in capsys.readouterr().err
    assert not list(tmp_path.rglob("said.txt"))


@pytest.mark.parametrize(
    ("script", "typed", "said"),
    [
        ("train", "experiment=demo_gaze model=flame,flame_b", "no face store in"),
        (
            "preprocess",
            "data=columbiagaze,eyediap data.preprocessor.preparation.quality=80",
            "raw_dir",
        ),
        ("predict", "model=flame,flame_b model.width=8 checkpoint=x data=eyediap", "no checkpoint"),
    ],
)
def test_every_scripts_multirun_gets_as_far_as_its_first_job(
    script: str,
    typed: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = [f"hydra.sweep.dir={tmp_path}", f"paths.store_dir={tmp_path}"]
    with train_script_here(monkeypatch, REPO_DIR / f"{script}.py") as run:
        assert run("-m", *typed.split(), *places) == 1
    assert said in capsys.readouterr().err
