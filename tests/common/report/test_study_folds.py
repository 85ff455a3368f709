"""Folds by person: a row's trainings are parts of one test of everybody."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders.kept_figures import kept_figures
from builders.small_reports import cells, only_outcome, only_table
from builders.small_runs import change_run, study_plan, write_run, write_test

from common.report.command import write_report
from common.report.figures import save_study_bars
from common.report.study.files import study_text

NUM_FOLDS, PEOPLE = 3, [f"{number:04d}" for number in range(9)]
ROWS = {"flame": 4.0, "flame_b": 5.0}


def errors_of(row: str, fold: int) -> pl.DataFrame:
    """Return three errors of each of the fold's people; of a person the rows share the hardness."""
    generator = np.random.default_rng([fold, len(row)])
    people = PEOPLE[fold::NUM_FOLDS]
    hardness = {person: int(person) / 4 for person in people}
    subjects = [person for person in people for _ in range(3)]
    noise = generator.normal(0, 0.2, len(subjects))
    errors = [ROWS[row] + hardness[person] for person in subjects] + noise
    return pl.DataFrame({"loss_3d": errors, "subject": subjects})


def write_fold(study_dir: Path, plan: dict[str, Any], row: str, fold: int) -> None:
    run = write_run(study_dir / f"{row}_seed{fold}", name=row, seed=fold)
    changes = {
        "config.study": plan,
        "config.ablation": row,
        "config.data.datamodule": {"split": "person_folds", "num_folds": NUM_FOLDS, "fold": fold},
        "data.split": "person_folds3_seed0",
        "data.fold": {"number": fold, "of": NUM_FOLDS},
    }
    change_run(run, changes)
    table = errors_of(row, fold)
    by_person = table.group_by("subject", maintain_order=True).agg(pl.len(), pl.mean("loss_3d"))
    slices = [
        {"slice": name, "num_samples": num, "mean_deg": mean}
        for name, num, mean in by_person.rows()
    ]
    errors = table["loss_3d"].to_numpy()
    write_test(
        run,
        model=row,
        split="person_folds3_seed0",
        fold={"number": fold, "of": NUM_FOLDS},
        num_samples=len(errors),
        mean_deg=float(errors.mean()),
        std_deg=float(errors.std(ddof=1)),
        baselines={"head_pose_deg": 9.0 + fold, "train_mean_deg": 12.0},
        by={"subject": slices},
    )
    table.write_csv(next(run.glob("test/*.json")).with_suffix(".csv"))


def write_folds(runs: Path, folds: dict[str, range]) -> Path:
    plan = study_plan("folds", rows=ROWS, seeds=range(NUM_FOLDS))
    for row, numbers in folds.items():
        for fold in numbers:
            write_fold(runs / "folds", plan, row, fold)
    return runs


@pytest.fixture(scope="module")
def whole_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folds = dict.fromkeys(ROWS, range(NUM_FOLDS))
    return write_folds(tmp_path_factory.mktemp("whole"), folds)


def everyone(row: str) -> np.ndarray:
    return np.concatenate([errors_of(row, fold)["loss_3d"] for fold in range(NUM_FOLDS)])


def test_a_row_is_the_error_of_everybody_by_the_training_that_did_not_see_them(
    whole_dir: Path,
) -> None:
    comparison = only_table(whole_dir)
    assert len(comparison.protocol.subjects) == len(PEOPLE)
    assert comparison.protocol.num_samples == 3 * len(PEOPLE)
    assert comparison.protocol.baselines["head pose as gaze"] == 10.0
    for result in comparison.results:
        errors = everyone(result.row.name)
        assert result.mean(comparison.kind.measure) == pytest.approx(errors.mean())
        (std,) = result.values(comparison.kind.beside[0])
        assert std == pytest.approx(errors.std(ddof=1))
    assert cells(whole_dir, "seeds") == ["3", "3"]


def test_the_difference_is_paired_by_person(whole_dir: Path) -> None:
    _, other = only_table(whole_dir).results
    interval = other.contrast.interval
    # People differ by 2 degrees, the rows by 1 for each of them: only pairing tells them apart.
    assert other.contrast.value == pytest.approx(1.0, abs=0.15)
    assert interval.low < other.contrast.value < interval.high
    assert interval.high - interval.low < 0.3
    assert other.interval.high - other.interval.low > 0.5


def test_a_row_without_all_of_its_folds_has_no_number(tmp_path: Path) -> None:
    runs = write_folds(tmp_path, {"flame": range(NUM_FOLDS), "flame_b": range(2)})
    assert cells(runs, "mean angular error [deg]")[1] == "-"
    assert "flame_b: 0 of 3" in study_text(only_outcome(runs)).replace("row flame_b", "flame_b")


def test_the_page_says_what_was_pooled(whole_dir: Path, tmp_path: Path) -> None:
    write_report(whole_dir, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "Pooled over 3 folds" in page
    assert page.count("<img") >= 2


def test_only_several_seeds_are_dots(
    whole_dir: Path, small_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = kept_figures(monkeypatch)
    for runs in (whole_dir, small_dir):
        save_study_bars(only_table(runs), tmp_path / "bars.png")
    of_folds, of_seeds = (figure.axes[0].get_legend_handles_labels()[1] for figure in kept)
    assert "a seed" not in of_folds
    assert "a seed" in of_seeds


def test_captions_say_what_a_number_is_of(whole_dir: Path, small_dir: Path) -> None:
    of_folds, of_seeds = only_table(whole_dir), only_table(small_dir)
    assert (of_folds.num_folds, of_seeds.num_folds) == (NUM_FOLDS, 1)
    assert str(NUM_FOLDS) in of_folds.averaged
    assert "seeds" in of_seeds.averaged
