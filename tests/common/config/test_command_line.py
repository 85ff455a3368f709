"""What is put right in a command: a study is a multirun, and a multirun composes as its jobs do."""

import re
import subprocess
from pathlib import Path

import pytest
from builders import small_job
from builders.small_training import REPO_DIR
from builders.train_configs import CONF_DIR
from builders.train_script import train_script_here
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from common.config.command_line import (
    check_groups,
    for_hydra,
    quoted,
    with_first_choices,
    with_multirun,
)

SMALL_JOB = Path(small_job.__file__)
KEPT = "hydra.output_subdir=.hydra"


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
        *("lr=interval(0,1)", "hydra/launcher=a,b", "--config-dir=a,b", "seed=range(3,0)"),
        f"seed={'1' * 5000}",
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
        ("model=gazepose data=ego4d,face_imgs data.datamodule.batch_size=4", "data"),
        ("experiment=demo_gaze,first_gaze model=flame data.datamodule.batch_size=4", "data"),
        ("model=gazelstm,gazepose data=ego4d dropout.margin=0.3", "model"),
        ("data=ego4d ablations=spatial_off,gazepose model.zoom=1.5", "model"),
    ],
)
def test_a_multirun_composes_where_each_of_its_jobs_does(
    typed: str, swept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with train_script_here(monkeypatch, SMALL_JOB) as script:
        assert script("-m", *typed.split(), f"hydra.sweep.dir={tmp_path}", KEPT) == 0
    jobs = [OmegaConf.load(tmp_path / job / ".hydra" / "config.yaml") for job in ("0", "1")]
    assert jobs[0][swept].name != jobs[1][swept].name


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ("-m experiment=demo_gaze model=flame,flame_ao model.widht=8", "widht"),
        ("-m experiment=demo_gaze model=flame,gazelstm", "'width' not in 'EyeContactModelConfig'"),
        # A study is a multirun unsaid: else Hydra takes the list of rows for the mistake.
        ("sweeps=table3 ablations=spatial_head,spatial_off model.learning_rat=1", "learning_rat"),
    ],
)
def test_a_mistake_in_any_job_ends_a_multirun_before_the_first(
    typed: str,
    mistake: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with train_script_here(monkeypatch, SMALL_JOB) as script:
        assert script(*typed.split(), f"hydra.sweep.dir={tmp_path}") == 1
    assert mistake in capsys.readouterr().err
    assert not list(tmp_path.rglob("said.txt"))


@pytest.mark.parametrize(
    ("script", "typed", "said"),
    [
        ("train", "experiment=demo_gaze model=flame,flame_b", "/demo_gaze"),
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


@pytest.mark.parametrize(
    "text",
    [
        *("/data/\u6570\u636e/\u89c6\u9891.mp4", "/d/it's.mp4", '/d/a"b.mp4', "/d/a\"b'c.mp4"),
        *("/d/a (1).mp4", "/d/a=1.mp4", "\u00e9t\u00e9 \u00e0 Gen\u00e8ve/*.jpg"),
        *("C:\\x\\\u00fc.mp4", "\u00fc\\", '\u00fc\\"', "#1!&;%.mp4"),
    ],
)
def test_a_path_is_taken_as_typed(text: str) -> None:
    for key in ("source", "+hydra.run.dir", "data.raw_dir"):
        (typed,) = for_hydra([f"{key}={text}"])
        assert OverridesParser.create().parse_override(typed).value() == text
        assert for_hydra([typed]) == [typed], "a process that is started again types it again"


@pytest.mark.parametrize(
    "typed",
    [
        *("model=[a,b]", "x={a:1}", "seed=1,2", "name='a b'", "source=party 1.mp4", "~priors"),
        "--x=\u00fc",
        "a key=[",
    ],
)
def test_what_hydra_reads_stays_as_typed(typed: str) -> None:
    assert quoted(typed) == typed


@pytest.mark.parametrize("text", ["[2024] \u00fc.mp4", "\u00fc, 2.mp4", "{a", "it's, 2.mp4"])
def test_what_may_be_a_list_is_refused_with_how_to_type_it(text: str) -> None:
    with pytest.raises(ValueError, match=f"source={re.escape(text)}") as refused:
        quoted(f"source={text}")
    in_shell = str(refused.value).partition(", type ")[2]
    said = subprocess.run(
        f"printf %s {in_shell}", shell=True, capture_output=True, text=True, check=True
    )
    assert OverridesParser.create().parse_override(said.stdout).value() == text


@pytest.mark.parametrize(
    ("script", "typed", "said"),
    [
        ("predict", "run=x data.store_dir=/d", r"data=NAME.* datamodule\.store_dir=/d"),
        ("predict", "run=x data.datamodule.seed=1", r" datamodule\.seed=1"),
        ("predict", "run=x priors.head=true", "priors=NAME"),
        ("train", "model=flame data=columbiagaze dropout.margin=1", "dropout=NAME"),
    ],
)
def test_an_option_of_a_group_that_is_not_chosen_is_refused(
    script: str, typed: str, said: str
) -> None:
    of_run = {"data": "datamodule", "model": "module"}
    with pytest.raises(ValueError, match=said):
        check_groups(typed.split(), CONF_DIR, script, of_run)


@pytest.mark.parametrize(
    ("script", "typed"),
    [
        ("train", "model=gazepose data=ego4d dropout.margin=0.3"),
        ("train", "model=gazepose data=ego4d dropout=uniform dropout.margin=0.3"),
        ("predict", "model=flame data=eyediap data.store_dir=x checkpoint=y"),
        ("predict", "run=x source=y"),
        ("preprocess", "data=eyediap data.raw_dir=x"),
        # What Hydra says of a mistake comes first.
        ("train", "model=flame datta=eyediap dropout.margin=0.3"),
    ],
)
def test_an_option_of_a_chosen_group_is_not(script: str, typed: str) -> None:
    check_groups(typed.split(), CONF_DIR, script, {})


@pytest.mark.parametrize("typed", ["model.{}ate=1e-3", "model={}", "source=/a/{}/b", "{}"])
def test_a_name_that_no_file_can_have_is_refused(typed: str) -> None:
    """Hydra looks for a group's file of that name, and ends in an OSError."""
    with pytest.raises(ValueError, match=r"9999\.\.\. .*\b3\d\d .*255"):
        for_hydra([typed.format("9" * 300)])


def test_an_option_may_hold_a_long_text() -> None:
    typed = ["logger.wandb.notes=" + "9" * 300]
    assert for_hydra(typed) == typed
