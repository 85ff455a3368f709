"""Studies: their rows change what they say and nothing else; a study ends, whatever happens."""

from __future__ import annotations

import json
import logging
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf
from small_lam_run import SMALL_DATA, SMALL_NETS, SMALL_TRAINING, write_store
from small_run import REPO_DIR, SMALL_RUN, one_thread
from small_store import write_small_store

from common import job, schema
from common.ablation import check_ablation, check_changes, check_not_undone, differences
from common.ablation_row import SUBJECTS, read_row
from common.job_failures import forget_failure, read_failures, record_failure
from common.other_tests import check_other_tests, missing_tests, run_other_tests
from common.report_run import Run
from common.report_runs import Results
from common.report_study.mixture import run_differences
from common.report_study.study import Study, find_studies
from common.run import fit_and_test
from common.schema import plain
from common.study import check_job, job_name, unfinished_jobs

CONF_DIR = REPO_DIR / "conf"
Config = dict[str, Any]


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


STUDIES = [name for name in names("sweeps") if name != "study"]
# Composing all rows takes its time; the demo editions have the same files of rows.
ALL_STUDIES = [
    pytest.param(name, marks=[pytest.mark.slow] if name.startswith("demo_table") else [])
    for name in STUDIES
]
RUN = "paths.run_dir=RUN"


@cache
def config_of(*typed: str) -> Config:
    """The config of a command; composed once."""
    schema.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return plain(compose("train", overrides=[RUN, *typed]))


def study_of(name: str) -> Config:
    text: Config = config_of(f"sweeps={name}")["study"]
    return text


def reference_of(name: str) -> Config:
    configs = [config_of(f"sweeps={name}", f"ablations={row}") for row in study_of(name)["rows"]]
    (reference,) = [config for config in configs if config["is_reference"]]
    return reference


# Rows

# What a row may change beside its copies elsewhere in the config.
OF_PRIORS = {"head", "landmarks", "use_head", "use_landmarks"}
INTENDED = {
    "spatial_learned": OF_PRIORS,
    "spatial_head": OF_PRIORS,
    "spatial_landmarks": OF_PRIORS,
    "split_5": {"split"},
    "split_15": {"split"},
    "dsplit_0_2": {"dsplit"},
    "dsplit_0_4": {"dsplit"},
    "temporal_none": {"kind"},
    "temporal_uniform": {"kind"},
}


@pytest.mark.parametrize("row", INTENDED)
def test_a_row_changes_what_it_says_and_nothing_else(row: str) -> None:
    study = "table4" if row.startswith("temporal") else "table3"
    changed = differences(config_of(f"sweeps={study}", f"ablations={row}"), reference_of(study))
    assert {key.split(".")[-1] for key in changed} <= INTENDED[row]
    assert changed


@pytest.mark.parametrize("study", [param for param in ALL_STUDIES if param.values[0][-1] in "34"])
def test_all_rows_train_alike_and_table_3_keeps_the_temporal_part(study: str) -> None:
    for row in study_of(study)["rows"]:
        config, reference = config_of(f"sweeps={study}", f"ablations={row}"), reference_of(study)
        for part in ("data", "trainer", "seed", "also_test"):
            assert config[part] == reference[part]
        for part in ("optimizer", "scheduler", "loss", "init_checkpoint"):
            assert config["model"]["module"][part] == reference["model"]["module"][part]
        if study.endswith("table3"):
            assert config["model"]["inputs"]["dropout"] == reference["model"]["inputs"]["dropout"]


def test_spatial_refinement_off_is_the_net_without_a_transformer() -> None:
    off = config_of("sweeps=table3", "ablations=spatial_off")
    gazelstm = config_of("sweeps=table1", "ablations=gazelstm")
    assert off["model"]["net"] == gazelstm["model"]["net"]
    assert off["priors"] is None
    assert "use_head" not in off["model"]["inputs"]
    assert off["dropout"]["kind"] == "gaussian"


def test_table_1_has_both_nets_as_published() -> None:
    gazelstm = config_of("sweeps=table1", "ablations=gazelstm")
    gazepose = config_of("sweeps=table1", "ablations=gazepose")
    rates = [config["model"]["module"]["optimizer"]["lr"] for config in (gazelstm, gazepose)]
    assert rates == [5e-5, 1e-4]
    assert [config["dropout"]["kind"] for config in (gazelstm, gazepose)] == ["none", "gaussian"]
    assert gazepose == {
        **config_of("model=gazepose", "data=ego4d"),
        **{key: gazepose[key] for key in ("ablation", "is_reference", "name", "study")},
        "continue_run": True,
    }


@pytest.mark.parametrize(
    ("study", "data"),
    [
        ("flame_table", ["columbiagaze", "eyediap"]),
        ("demo_flame_table", ["demo_gaze", "demo_gaze_b"]),
    ],
)
def test_flames_table_has_every_net_on_every_data_set(study: str, data: list[str]) -> None:
    rows = [config_of(f"sweeps={study}", f"ablations={row}") for row in study_of(study)["rows"]]
    nets = ["flame", "flame_ao", "flame_af", "flame_b"]
    found = [(config["model"]["name"], config["data"]["name"]) for config in rows]
    assert found == [(net, name) for name in data for net in nets]
    assert all(config["also_test"] == data for config in rows)
    rates = [config["model"]["learning_rate"] for config in rows]
    # Published ones of each net; the demo's narrow nets share one.
    assert rates == 2 * ([1e-4, 1e-4, 5e-5, 1e-5] if study == "flame_table" else 4 * [1e-4])


# Studies


@pytest.mark.parametrize("study", ALL_STUDIES)
def test_every_row_of_a_study_is_another_run(study: str) -> None:
    rows = list(study_of(study)["rows"])
    configs = [config_of(f"sweeps={study}", f"ablations={row}") for row in rows]
    assert [config["ablation"] for config in configs] == rows
    assert [config["name"] for config in configs] == [job_name(row, 0) for row in rows]
    for number, config in enumerate(configs):
        check_job(config)
        assert all(differences(config, other) for other in configs[:number])
    assert sum(config["is_reference"] for config in configs) == 1


@pytest.mark.parametrize("study", ALL_STUDIES)
def test_every_row_but_the_reference_changes_the_study(study: str) -> None:
    without = config_of(f"sweeps={study}")
    for row in study_of(study)["rows"]:
        check_changes(config_of(f"sweeps={study}", f"ablations={row}"), without)


@pytest.mark.parametrize(
    ("study", "row"), [("table1", "gazelstm"), ("table3", "dsplit_0_2"), ("table4", "gazepose")]
)
def test_rows_pass_the_check_of_a_run(study: str, row: str) -> None:
    with running(f"sweeps={study}", f"ablations={row}", "seed=0") as config:
        check_ablation(config)


def study_in_report(name: str, *, is_recorded: bool, mirrored: str | None = None) -> Study:
    """The study as the report sees it after one seed; `mirrored`: a row trained otherwise."""
    without, runs = config_of(f"sweeps={name}"), []
    for row in study_of(name)["rows"]:
        config = config_of(f"sweeps={name}", f"ablations={row}")
        changed = differences(config, without) if is_recorded else None
        if row == mirrored:
            config = {**config, "priors": config["priors"] | {"mirror": True}}
        data = {"name": config["data"]["name"], "split": config["data"]["name"]}
        snapshot = {
            **{"status": "finished", "config": config, "data": data},
            "ablation_changes": changed,
        }
        runs.append(Run(len(runs), row, Path(name, row), snapshot, None, {}))
    (study,) = find_studies(Results(Path(), runs, [], []))
    return study


@pytest.mark.parametrize("is_recorded", [True, False])
@pytest.mark.parametrize("study", ALL_STUDIES)
def test_the_report_takes_a_studys_rows_for_one_protocol(study: str, is_recorded: bool) -> None:
    assert run_differences(study_in_report(study, is_recorded=is_recorded)) == []


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_switch_that_no_row_sets_divides_a_study(is_recorded: bool) -> None:
    study = study_in_report("table4", is_recorded=is_recorded, mirrored="temporal_none")
    (difference,) = run_differences(study)
    assert difference.what == "priors.mirror"
    assert difference.values["True"] == ["temporal_none"]


def test_every_row_is_of_a_study() -> None:
    assert {row for study in STUDIES for row in study_of(study)["rows"]} == set(names("ablations"))


def test_demo_editions_have_the_same_rows_and_fewer_trainings() -> None:
    for name in ("table1", "table3", "table4"):
        full, demo = study_of(name), study_of(f"demo_{name}")
        assert demo["rows"] == full["rows"]
        assert full["seeds"] == [0, 1, 2, 3, 4]
        assert 2 <= len(demo["seeds"]) < 5
    full, demo = study_of("flame_table"), study_of("demo_flame_table")
    assert len(demo["rows"]) == len(full["rows"])
    assert full["seeds"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_is_a_multirun_of_its_rows_and_seeds_in_its_folder(study: str) -> None:
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        cfg = compose("train", overrides=[RUN, f"sweeps={study}"], return_hydra_config=True)
    said = study_of(study)
    assert cfg.hydra.mode.name == "MULTIRUN"
    assert cfg.hydra.sweep.dir == f"runs/{study}"
    assert cfg.hydra.sweeper.params.ablations == ",".join(said["rows"])
    assert cfg.hydra.sweeper.params.seed == ",".join(map(str, said["seeds"]))
    assert (said["name"], cfg.continue_run) == (study, True)
    assert "=" not in cfg.hydra.sweep.dir + "".join(said["rows"])


@pytest.mark.parametrize(("group", "common"), [("priors", "all"), ("dropout", "gaussian")])
def test_options_differ_in_what_choosing_one_says(group: str, common: str) -> None:
    def option(name: str) -> Any:
        return OmegaConf.load(CONF_DIR / group / f"{name}.yaml")

    options = [{**option(common), **option(name)} for name in names(group)]
    keys = {key for one in options for key in one if key != "defaults"}
    differing = {key for key in keys if len({str(one[key]) for one in options}) > 1}
    assert differing == set(SUBJECTS[group])


# Mistakes


@contextmanager
def running(*typed: str) -> Iterator[Config]:
    """Within it Hydra runs a job with these overrides, as it does in train.py."""
    schema.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        cfg = compose("train", overrides=[RUN, *typed], return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        yield plain({key: cfg[key] for key in cfg if key != "hydra"})
    HydraConfig.instance().cfg = None


def refused(*typed: str) -> str:
    """Say why a command is refused."""
    with running(*typed) as config, pytest.raises(ValueError, match="ablations=") as error:
        check_ablation(config)
    return str(error.value)


ON_GAZEPOSE = ["model=gazepose", "data=ego4d"]


@pytest.mark.parametrize(
    ("row", "typed", "said"),
    [
        ("spatial_head", "priors=none", "priors=head"),
        ("spatial_head", "priors.head=false", r"priors\.head=True"),
        ("spatial_head", "priors={landmarks:true}", "priors=head"),
        ("split_5", "priors.split=1.0", r"priors\.split=5\.0"),
        ("temporal_none", "dropout=gaussian", "dropout=none"),
        ("temporal_none", "dropout.kind=gaussian", r"dropout\.kind=none"),
        ("spatial_off", "model=gazepose", "model=gazepose_lstm"),
        ("gazepose", "priors=head", "priors=all"),
    ],
)
def test_what_would_undo_a_row_is_refused(row: str, typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"ablations={row} sets {said}; .* would undo that"):
        check_not_undone(read_row(row, [CONF_DIR]), parsed(typed))


def parsed(*typed: str) -> list[Override]:
    return OverridesParser.create().parse_overrides(list(typed))


def test_what_a_row_does_not_set_may_be_typed() -> None:
    allowed = ["priors.mirror=true", "model.learning_rate=1e-3", "dropout=none", "priors=head"]
    check_not_undone(read_row("spatial_head", [CONF_DIR]), parsed(*ON_GAZEPOSE, *allowed))
    allowed = ["model.init_checkpoint=x.pth", "data.datamodule.num_workers=0"]
    check_not_undone(read_row("gazelstm", [CONF_DIR]), parsed(*allowed))


@pytest.mark.parametrize(
    ("row", "typed"), [("split_5", "priors.split=5.0"), ("temporal_none", "dropout=none")]
)
def test_what_a_row_sets_may_be_said_again(row: str, typed: str) -> None:
    with running(*ON_GAZEPOSE, f"ablations={row}") as config:
        changed = check_ablation(config)
    with running(*ON_GAZEPOSE, f"ablations={row}", typed) as config:
        assert check_ablation(config) == changed


def test_a_command_that_undoes_its_row_is_refused() -> None:
    assert "priors=none on the command line would undo" in refused(
        *ON_GAZEPOSE, "ablations=spatial_head", "priors=none"
    )


def own_conf(tmp_path: Path, **files: str) -> str:
    """Files ``group__name`` of a user's own; returns the override that finds them."""
    for name, text in files.items():
        path = tmp_path / "conf" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# @package _global_\n{text}\n")
    return f"hydra.searchpath=[{tmp_path / 'conf'}]"


@pytest.mark.parametrize(
    "text",
    [
        "priors:\n  split: 1.0\nablation: idle",
        "defaults:\n  - override /priors: all\nablation: idle",
    ],
)
def test_a_row_that_changes_nothing_is_refused(tmp_path: Path, text: str) -> None:
    own = own_conf(tmp_path, ablations__idle=text)
    assert "ablations=idle changes nothing here" in refused(*ON_GAZEPOSE, own, "ablations=idle")


def test_a_reference_that_changes_something_is_refused() -> None:
    reference = {**config_of("sweeps=table1", "ablations=gazelstm"), "is_reference": True}
    with pytest.raises(ValueError, match=r"other rows are compared with, but changes .*dropout"):
        check_changes(reference, config_of("sweeps=table1"))


def test_a_row_may_choose_what_the_command_leaves_open() -> None:
    with running("data=ego4d", "ablations=spatial_off") as config:
        check_ablation(config)
    with running("data=ego4d", "ablations=gazepose") as config:
        check_ablation(config)


def test_a_row_without_its_name_is_refused(tmp_path: Path) -> None:
    own = own_conf(tmp_path, ablations__mine="priors:\n  split: 2.0")
    assert "let conf/ablations/NAME.yaml say `ablation: NAME`" in refused(
        *ON_GAZEPOSE, own, "ablations=mine"
    )
    assert "choose a row by ablations=NAME" in refused(*ON_GAZEPOSE, "ablation=spatial_head")


def test_a_row_wins_over_an_experiment_and_the_models_defaults(tmp_path: Path) -> None:
    own = own_conf(
        tmp_path,
        experiment__theirs="defaults:\n  - override /priors: none\n  - override /dropout: none\n"
        "priors:\n  split: 9.0",
    )
    row = "ablations=spatial_head"
    with running(*ON_GAZEPOSE, own, row, "experiment=theirs") as config:
        check_ablation(config)
        assert (config["priors"]["head"], config["dropout"]["kind"]) == (True, "none")
    with running(*ON_GAZEPOSE, own, "ablations=split_5", "experiment=theirs") as config:
        assert config["priors"]["split"] == 5.0


def test_an_experiment_that_undoes_a_rows_choice_by_a_value_is_refused(tmp_path: Path) -> None:
    own = own_conf(tmp_path, experiment__theirs="priors:\n  landmarks: true")
    reason = refused(*ON_GAZEPOSE, own, "ablations=spatial_head", "experiment=theirs")
    assert "sets priors.landmarks=False, but the run has True: an experiment" in reason


def test_debug_has_the_last_word(tmp_path: Path) -> None:
    own = own_conf(tmp_path, debug__theirs="priors:\n  split: 2.0")
    with running(*ON_GAZEPOSE, own, "ablations=split_5", "debug=theirs") as config:
        check_ablation(config)
        assert config["priors"]["split"] == 2.0


@pytest.mark.parametrize(
    ("group", "text", "misspelt"),
    [
        ("ablations", "ablation: mine\npriors:\n  head_poze: false", "head_poze"),
        ("ablations", "ablatoin: mine", "ablatoin"),
        ("ablations", "defaults:\n  - override /prior: head\nablation: mine", "prior"),
        ("sweeps", "study:\n  tilte: mine", "tilte"),
        ("sweeps", "study:\n  seeds: [first]", "first"),
    ],
)
def test_a_misspelt_key_of_a_row_or_study_is_an_error(
    tmp_path: Path, group: str, text: str, misspelt: str
) -> None:
    own = own_conf(tmp_path, **{f"{group}__mine": text})
    with (
        pytest.raises(ConfigCompositionException, match=misspelt),
        running(*ON_GAZEPOSE, own, f"{group}=mine"),
    ):
        pass


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ablations=temporal_none", "ablations=temporal_none is no row of study table3; it has"),
        ("seed=7", r"seed=7 is no seed of study table3; it has 0, 1, 2, 3, 4\..*study\.seeds"),
    ],
)
def test_a_job_that_is_not_of_its_study_is_refused(typed: str, said: str) -> None:
    typed_row = [] if typed.startswith("ablations") else ["ablations=spatial_head"]
    with pytest.raises(ValueError, match=said):
        check_job(config_of("sweeps=table3", *typed_row, typed))


# Running one

# `++`: rows without a Transformer have no such keys.
SMALL_STUDY = [
    *("+" + option if "net" in option else option for option in SMALL_NETS["gazelstm"][1:]),
    *(f"++{option}" for option in SMALL_NETS["gazepose"] if "transformer" in option),
    *SMALL_DATA[1:],
    *SMALL_TRAINING,
    "trainer.max_epochs=1",
]


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "store"
    write_store(folder)
    return folder


@pytest.fixture
def train_script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``python train.py`` in this process: returns the exit status."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*typed: str) -> int:
        monkeypatch.setattr(sys, "argv", [str(REPO_DIR / "train.py"), *typed])
        try:
            with one_thread():
                runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    yield run
    # Hydra put its own in their place.
    root.handlers[:] = handlers
    root.setLevel(level)
    GlobalHydra.instance().clear()


def snapshots(study_dir: Path) -> dict[str, Config]:
    found = {path.parent.name: path for path in study_dir.glob("*/run.json")}
    return {name: json.loads(path.read_text()) for name, path in sorted(found.items())}


def test_a_study_outlives_a_failing_job_and_then_runs_only_what_is_missing(
    store_dir: Path, tmp_path: Path, train_script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [
        "sweeps=table4",
        "ablations=spatial_off,spatial_off_temporal_none",
        f"paths.runs_dir={tmp_path}",
        f"data.store_dir={store_dir}",
        *SMALL_STUDY,
    ]
    trained = []

    def train(config: Config, choices: Config, run_dir: Path) -> dict[str, float]:
        trained.append(run_dir.name)
        if len(trained) == 1:
            raise RuntimeError("the disk is full")
        return fit_and_test(config, choices, run_dir)

    monkeypatch.setattr(job, "fit_and_test", train)
    assert train_script(*typed, "study.seeds=[0]") == 1
    assert trained == ["spatial_off_seed0", "spatial_off_temporal_none_seed0"]
    first = snapshots(tmp_path / "table4")
    assert {name: run["status"] for name, run in first.items()} == {
        "spatial_off_temporal_none_seed0": "finished"
    }
    log = (tmp_path / "table4" / "spatial_off_seed0" / "train.log").read_text()
    assert "RuntimeError: the disk is full" in log
    study = first["spatial_off_temporal_none_seed0"]["config"]["study"]
    assert unfinished_jobs(tmp_path / "table4", study) == {
        "spatial_off_temporal_uniform_seed0": False,
        "spatial_off_seed0": True,
        "temporal_none_seed0": False,
        "temporal_uniform_seed0": False,
        "gazepose_seed0": False,
    }

    # Meanwhile the study has grown; what was finished stays.
    assert train_script(*typed, "study.seeds=[0,1]", "seed=0") == 0
    second = snapshots(tmp_path / "table4")
    assert list(second) == ["spatial_off_seed0", "spatial_off_temporal_none_seed0"]
    assert second["spatial_off_temporal_none_seed0"] == first["spatial_off_temporal_none_seed0"], (
        "it was left as it was"
    )
    for run in second.values():
        assert run["status"] == "finished"
        assert run["config"]["study"]["rows"] == study_of("table4")["rows"]
    assert second["spatial_off_seed0"]["config"]["ablation"] == "spatial_off"
    changes = {name: run["ablation_changes"] for name, run in second.items()}
    assert "model.name" in changes["spatial_off_seed0"]
    assert "dropout.kind" not in changes["spatial_off_seed0"]
    assert "dropout.kind" in changes["spatial_off_temporal_none_seed0"]


def test_a_failing_job_that_is_no_studys_fails(
    store_dir: Path, tmp_path: Path, train_script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [*ON_GAZEPOSE, "ablations=split_5", "priors.split=1.0", f"hydra.run.dir={tmp_path}/run"]
    assert train_script(*typed, f"data.store_dir={store_dir}") == 1


def test_the_summary_says_what_failed_and_what_was_not_run(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    # The row sets the priors: its job is refused before anything is trained.
    typed = ["sweeps=table3", "ablations=spatial_head", "seed=0", "priors=none"]
    assert train_script(*typed, f"paths.runs_dir={tmp_path}") == 1
    said = capsys.readouterr().out
    assert "study table3: 0 of 45 jobs finished" in said
    assert "not run: 44 jobs" in said
    log_path = tmp_path / "table3" / "spatial_head_seed0" / "train.log"
    assert f"failed:\n  spatial_head_seed0: {log_path}\n    ablations=spatial_head sets" in said
    assert "priors=none on the command line would undo that" in log_path.read_text()


@pytest.mark.parametrize(
    "typed", ["ablations=temporal_none", "seed=0,7", "seed=range(5,7)", "ablations=spatial_off,x"]
)
def test_a_foreign_row_or_seed_is_refused_before_any_job(
    typed: str, tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_script("sweeps=table3", typed, f"paths.runs_dir={tmp_path}") == 1
    assert " of study table3; it has" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*_seed*"))


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_job_refused_in_a_finished_folder_is_named(
    launcher: str, tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    job_dir = tmp_path / "table4" / "spatial_off_seed0"
    snapshot = {"status": "finished", "metrics": {"auc": 1.0}}
    typed = ["sweeps=table4", "ablations=spatial_off", "seed=0", f"paths.run_dir={job_dir}"]
    config = config_of(*typed, f"paths.runs_dir={tmp_path}")
    job_dir.mkdir(parents=True)
    (job_dir / "run.json").write_text(json.dumps({**snapshot, "config": config}))

    typed = [*typed, f"paths.runs_dir={tmp_path}", f"hydra/launcher={launcher}"]
    assert train_script(*typed, "model.learning_rate=1e-3") == 1
    said = capsys.readouterr().out
    assert "1 of 30 jobs finished" in said
    assert f"failed:\n  spatial_off_seed0: {job_dir / 'train.log'}" in said
    assert f"\n    {job_dir} holds a run of another config" in said
    # What failed is what the latest start says.
    assert train_script(*typed) == 0
    assert "failed" not in capsys.readouterr().out


def test_what_failed_earlier_is_no_failure_of_this_call(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    job_dir = tmp_path / "table4" / "spatial_off_seed0"
    record_failure(tmp_path / "table4" / "gazepose_seed0", RuntimeError("the disk is full"))
    typed = ["sweeps=table4", "ablations=spatial_off", "seed=0", f"paths.run_dir={job_dir}"]
    typed = [*typed, f"paths.runs_dir={tmp_path}"]
    job_dir.mkdir()
    finished = {"status": "finished", "metrics": {}, "config": config_of(*typed)}
    (job_dir / "run.json").write_text(json.dumps(finished))
    assert train_script(*typed) == 0
    said = capsys.readouterr().out
    assert "failed or interrupted earlier:\n  gazepose_seed0:" in said


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no store\nmore"), "no store"),
        (RuntimeError("full\nmore"), "RuntimeError: full"),
        (KeyError(), "KeyError: "),
    ],
)
def test_a_failure_keeps_its_first_line_until_it_is_forgotten(
    tmp_path: Path, error: Exception, reason: str
) -> None:
    record_failure(tmp_path / "job", error)
    assert read_failures(tmp_path)["job"]["reason"] == reason
    forget_failure(tmp_path / "job")
    assert read_failures(tmp_path) == read_failures(tmp_path / "no_study") == {}


def test_a_study_of_jobs_that_start_processes_is_refused(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["sweeps=table3", "ablations=spatial_head", "seed=0", "trainer.devices=2"]
    assert train_script(*typed, f"paths.runs_dir={tmp_path}") == 1
    assert "a sweep's jobs take one device each" in capsys.readouterr().err


# Tests on further data sets

FLAME_RUN = [option for option in SMALL_RUN if not option.startswith(("model=", "data="))]


@pytest.fixture
def two_stores(tmp_path: Path) -> Path:
    folder = tmp_path / "stores"
    write_small_store(folder / "demo_gaze", num_subjects=8)
    write_small_store(folder / "demo_gaze_b", num_subjects=5)
    write_small_store(folder / "eyediap", gaze_convention="eyediap_geometric")
    return folder


def test_a_run_is_tested_on_the_other_data_set_too(two_stores: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    typed = [
        "sweeps=demo_flame_table", "ablations=flame_b_demo_gaze", f"paths.run_dir={run_dir}",
        f"paths.store_dir={two_stores}", *FLAME_RUN, "trainer.max_epochs=1",
        "trainer.precision=32-true",
    ]  # fmt: skip
    with running(*typed) as config, one_thread():
        check_other_tests(run_dir, config)
        assert missing_tests(run_dir, config) == ["demo_gaze_b"]
        fit_and_test(config, {}, run_dir)
        (said,) = run_other_tests(run_dir, config)
        assert missing_tests(run_dir, config) == run_other_tests(run_dir, config) == []
    assert said.endswith("predict/demo_gaze_b_test")
    for folder, tested_on in (("test", "demo_gaze"), ("predict/demo_gaze_b_test", "demo_gaze_b")):
        (path,) = (run_dir / folder).glob("*.json")
        summary = json.loads(path.read_text())
        assert (summary["trained_on"], summary["tested_on"]) == ("demo_gaze", tested_on)
    run_dir.rename(tmp_path / "run_seed0")
    study = {"rows": ["run"], "seeds": [0]}
    assert unfinished_jobs(tmp_path, study) == {}
    (tmp_path / "run_seed0" / "predict").rename(tmp_path / "lost")
    assert unfinished_jobs(tmp_path, study) == {"run_seed0": True}


def test_a_further_data_set_with_another_convention_is_refused_before_the_training(
    two_stores: Path,
) -> None:
    typed = ["model=flame_b", "data=demo_gaze", "also_test=[eyediap]", *FLAME_RUN]
    with running(*typed, f"paths.store_dir={two_stores}") as config:
        with pytest.raises(ValueError, match="allow_other_convention=true"):
            check_other_tests(Path("RUN"), config)
        check_other_tests(Path("RUN"), {**config, "allow_other_convention": True})
        with pytest.raises(ValueError, match="no_store"):
            check_other_tests(
                Path("RUN"), {**config, "paths": {**config["paths"], "store_dir": "no_store"}}
            )


# A killed one


@pytest.mark.slow
def test_a_study_killed_in_the_middle_and_run_again_ends_complete(
    store_dir: Path, tmp_path: Path
) -> None:
    rows = ["spatial_off_temporal_none", "spatial_off", "temporal_none"]
    script = [
        str(REPO_DIR / "train.py"), "sweeps=table4", f"ablations={','.join(rows)}", "seed=0",
        f"paths.runs_dir={tmp_path}", f"data.store_dir={store_dir}", *SMALL_STUDY,
        "trainer.max_epochs=3",
    ]  # fmt: skip
    folder = tmp_path / "table4"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    slow = subprocess.Popen(
        [sys.executable, "-c", SLOW_TRAIN, *script], cwd=tmp_path, env=environment, **quiet
    )
    while not (folder / "spatial_off_seed0" / "checkpoints" / "last.ckpt").exists():
        assert slow.poll() is None, "the study ended before its second job's first checkpoint"
        time.sleep(0.05)
    os.kill(slow.pid, signal.SIGKILL)
    slow.wait()
    killed = snapshots(folder)
    assert [run["status"] for run in killed.values()] == ["running", "finished"]

    done = subprocess.run(
        [sys.executable, *script], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"study table4: 3 of 30 jobs finished" in done.stdout
    ended = snapshots(folder)
    assert set(ended) == {f"{row}_seed0" for row in rows}
    assert {run["status"] for run in ended.values()} == {"finished"}
    finished = "spatial_off_temporal_none_seed0"
    assert ended[finished] == killed[finished], "a finished job is left as it is"
    assert [len(run["starts"]) for run in ended.values()] == [2, 1, 1], (
        "only the killed one goes on"
    )


# Runs train.py with a pause after every training batch.
SLOW_TRAIN = """
import runpy, sys, time
from gazepose.module import EyeContactModule
EyeContactModule.on_train_batch_end = lambda self, *_: time.sleep(0.2)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
