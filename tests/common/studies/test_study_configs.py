"""A study: rows that change what they say and nothing else, one protocol, one folder."""

from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
from builders.small_training import composition
from builders.study_configs import (
    ALL_STUDIES,
    CONF_DIR,
    RUN,
    STUDIES,
    Config,
    config_of,
    names,
    row_configs,
    rows_of,
    running,
    study_of,
)
from omegaconf import OmegaConf

from common.report.reading import Results
from common.report.run import Run
from common.report.study.mixture import run_differences
from common.report.study.study import Study, find_studies
from common.studies.ablation import SUBJECTS, check_ablation, check_changes, differences
from common.studies.study import check_job, job_name


@pytest.mark.parametrize("study", ALL_STUDIES)
def test_every_row_of_a_study_is_another_run(study: str) -> None:
    rows = list(study_of(study)["rows"])
    configs = row_configs(study)
    assert [config["ablation"] for config in configs] == rows
    assert [config["name"] for config in configs] == [job_name(row, 0) for row in rows]
    for number, config in enumerate(configs):
        check_job(config)
        assert all(differences(config, other) for other in configs[:number])
        check_changes(config, config_of(f"sweeps={study}"))
    assert sum(config["is_reference"] for config in configs) == 1


@pytest.mark.parametrize(
    ("study", "row"),
    [("table1", "gazelstm"), ("table3", "dsplit_0_2"), ("flame_table", "flame_columbiagaze")],
)
def test_rows_pass_the_check_of_a_run(study: str, row: str) -> None:
    without = config_of(f"sweeps={study}")
    with running(f"sweeps={study}", *rows_of(study)[row], "seed=0") as config:
        assert check_ablation(config) == differences(config, without)


def study_in_report(name: str, *, is_recorded: bool, mirrored: str | None = None) -> Study:
    """The study as the report sees it after one seed; `mirrored`: a row trained otherwise."""
    without, runs = config_of(f"sweeps={name}"), []
    for row, config in zip(rows_of(name), row_configs(name), strict=True):
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


@pytest.mark.parametrize("study", ALL_STUDIES)
def test_the_report_takes_a_studys_rows_for_one_protocol(study: str) -> None:
    assert run_differences(study_in_report(study, is_recorded=True)) == []
    # Runs that do not record what their row changes are older than the row of repaired priors.
    if "priors_repaired" not in study_of(study)["rows"]:
        assert run_differences(study_in_report(study, is_recorded=False)) == []


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_switch_that_no_row_sets_divides_a_study(is_recorded: bool) -> None:
    study = study_in_report("table4", is_recorded=is_recorded, mirrored="temporal_none")
    (difference,) = run_differences(study)
    assert difference.what == "priors.mirror"
    assert difference.values["True"] == ["temporal_none"]


def test_every_file_of_a_row_is_of_a_study() -> None:
    typed = chain.from_iterable(row for study in STUDIES for row in rows_of(study).values())
    assert {f"ablations={name}" for name in names("ablations")} <= set(typed)


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
    cfg = composition("train", RUN, f"sweeps={study}", with_hydra=True)
    said = study_of(study)
    assert cfg.hydra.mode.name == "MULTIRUN"
    assert cfg.hydra.sweep.dir == f"runs/{study}"
    swept = [
        [f"{key}={value}" for value in values.split(",")]
        for key, values in cfg.hydra.sweeper.params.items()
    ]
    jobs = product(rows_of(study).values(), [f"seed={seed}" for seed in said["seeds"]])
    assert [set(job) for job in product(*swept)] == [{*row, seed} for row, seed in jobs]
    assert (said["name"], cfg.continue_run) == (study, True)
    assert "=" not in cfg.hydra.sweep.dir + "".join(said["rows"])


@pytest.mark.parametrize(
    ("key", "value", "known"),
    [("ablation", "temporal_none", "spatial_head"), ("seed", 7, "0, 1, ")],
)
def test_a_job_that_is_not_of_its_study_is_refused(key: str, value: Any, known: str) -> None:
    job = config_of("sweeps=table3", "ablations=spatial_head")
    with pytest.raises(ValueError, match=rf"{key}={value} .*table3.*{known}.*study\.seeds"):
        check_job({**job, key: value})


def reference_of(name: str) -> Config:
    (reference,) = [config for config in row_configs(name) if config["is_reference"]]
    return reference


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
    for config in row_configs(study):
        reference = reference_of(study)
        for part in ("data", "trainer", "seed", "also_test"):
            assert config[part] == reference[part]
        module = config["model"]["module"]
        if config["ablation"] == "gazelstm_gaussian":  # the published baseline has its own rate
            rate = reference["model"]["module"]["optimizer"]["lr"]
            module = {**module, "optimizer": {**module["optimizer"], "lr": rate}}
        for part in ("optimizer", "scheduler", "loss", "init_checkpoint"):
            assert module[part] == reference["model"]["module"][part]
        if study.endswith("table3"):
            assert config["model"]["inputs"]["dropout"] == reference["model"]["inputs"]["dropout"]


def test_spatial_refinement_off_is_the_net_without_a_transformer() -> None:
    off = config_of("sweeps=table3", "ablations=spatial_off")
    gazelstm = config_of("sweeps=table1", "ablations=gazelstm")
    assert off["model"]["net"] == gazelstm["model"]["net"]
    assert off["priors"] is None
    assert "use_head" not in off["model"]["inputs"]
    assert off["dropout"]["kind"] == "gaussian"


@pytest.mark.parametrize("study", ["table1", "table3"])
def test_the_baseline_as_the_original_starts_it(study: str) -> None:
    """``--model GazeLSTM --Gaussiandrop --lr 5e-5``, no priors; else as the tables' other nets."""
    baseline = config_of(f"sweeps={study}", "ablations=gazelstm_gaussian")
    gazelstm = config_of("sweeps=table1", "ablations=gazelstm")
    assert baseline["model"]["net"] == gazelstm["model"]["net"]
    assert baseline["model"]["module"]["optimizer"]["lr"] == 5e-5
    assert (baseline["dropout"]["kind"], baseline["priors"]) == ("gaussian", None)
    assert "gazelstm_gaussian" in study_of(f"demo_{study}")["rows"]


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
    rows, nets = row_configs(study), list(study_of(study)["nets"])
    found = [(config["model"]["name"], config["data"]["name"]) for config in rows]
    assert found == [(net, name) for name in data for net in nets]
    assert all(config["also_test"] == data for config in rows)
    # Published rates of each net; the demo's narrow nets share one.
    published = {"flame": 1e-4, "flame_ao": 1e-4, "flame_af": 5e-5, "flame_b": 1e-5}
    rates = {config["model"]["name"]: config["model"]["learning_rate"] for config in rows}
    expected = published if study == "flame_table" else dict.fromkeys(published, 1e-4)
    assert expected.items() <= rates.items()


def test_titles_of_flames_table_say_net_and_training_data() -> None:
    rows = study_of("flame_table")["rows"]
    assert rows["flame_af_eyediap"] == "F-AF, trained on EYEDIAP"
    assert rows["flame_columbiagaze"] == "FLAME, trained on ColumbiaGaze"


@pytest.mark.parametrize(("group", "common"), [("priors", "all"), ("dropout", "gaussian")])
def test_options_differ_in_what_choosing_one_says(group: str, common: str) -> None:
    def option(name: str) -> Any:
        return OmegaConf.load(CONF_DIR / group / f"{name}.yaml")

    options = [{**option(common), **option(name)} for name in names(group)]
    keys = {key for one in options for key in one if key != "defaults"}
    differing = {key for key in keys if len({str(one[key]) for one in options}) > 1}
    assert differing == set(SUBJECTS[group])
