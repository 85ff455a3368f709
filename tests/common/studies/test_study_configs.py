"""A study: as many different runs as rows, one protocol in the report, one folder."""

from itertools import chain, product
from pathlib import Path

import pytest
from builders.study_configs import (
    ALL_STUDIES,
    CONF_DIR,
    RUN,
    STUDIES,
    config_of,
    names,
    row_configs,
    rows_of,
    running,
    study_of,
)
from hydra import compose, initialize_config_dir

from common.report.reading import Results
from common.report.run import Run
from common.report.study.mixture import run_differences
from common.report.study.study import Study, find_studies
from common.studies.ablation import check_ablation, check_changes, differences
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
    assert sum(config["is_reference"] for config in configs) == 1


@pytest.mark.parametrize("study", ALL_STUDIES)
def test_every_row_but_the_reference_changes_the_study(study: str) -> None:
    without = config_of(f"sweeps={study}")
    for config in row_configs(study):
        check_changes(config, without)


@pytest.mark.parametrize(
    ("study", "row"),
    [
        *(("table1", "gazelstm"), ("table3", "dsplit_0_2"), ("table4", "gazepose")),
        *(("flame_table", "flame_columbiagaze"), ("demo_flame_table", "flame_af_demo_gaze_b")),
    ],
)
def test_rows_pass_the_check_of_a_run(study: str, row: str) -> None:
    with running(f"sweeps={study}", *rows_of(study)[row], "seed=0") as config:
        assert check_ablation(config) == differences(config, config_of(f"sweeps={study}"))


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
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        cfg = compose("train", overrides=[RUN, f"sweeps={study}"], return_hydra_config=True)
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
    ("typed", "said"),
    [
        (
            "ablations=temporal_none",
            "ablation=temporal_none is not of study table3, which",
        ),
        ("seed=7", r"seed=7 is not of study table3, which has 0, 1, 2, 3, 4\..*study\.seeds"),
    ],
)
def test_a_job_that_is_not_of_its_study_is_refused(typed: str, said: str) -> None:
    typed_row = [] if typed.startswith("ablations") else ["ablations=spatial_head"]
    with pytest.raises(ValueError, match=said):
        check_job(config_of("sweeps=table3", *typed_row, typed))
