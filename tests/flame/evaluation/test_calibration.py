"""A person's own calibration: what it takes away, what it is fitted on, what it is tested on."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from builders.kept_figures import kept_figures

from common.geometry import angular_error
from flame.evaluation.calibrated_errors import (
    CalibratedTest,
    CalibrationSettings,
    calibrate_people,
    prior_of,
)
from flame.evaluation.calibration import (
    Calibration,
    read_calibration,
    weights_sha256,
    write_calibration,
)
from flame.evaluation.calibration_fit import PeoplePrior
from flame.evaluation.figures import save_calibration_figure

OFFSETS_DEG = {"a": (3.0, -8.0), "b": (-5.0, 1.0), "c": (0.5, 12.0)}
# People differ by offsets, and their samples scatter by half a degree.
PRIOR = PeoplePrior(9, (0.01, 0.01), (0.1, 0.1), ((0, 0), (0, 0)))
DESCRIBED = {
    **{"run": "runs/mine", "model": "small", "trained_on": "data"},
    **{"gaze_convention": "targets", "gaze_frame": "camera"},
}


def results(people: dict[str, int], noise_deg: float = 0.0) -> pl.DataFrame:
    """So many samples of each person; what is said is off by the person's own."""
    generator = np.random.default_rng(0)
    tables = []
    for person, num in people.items():
        true = generator.uniform(-25, 25, (num, 2))
        said = true + OFFSETS_DEG[person] + noise_deg * generator.normal(0, 1, (num, 2))
        columns = {"yaw_p": said[:, 0], "pitch_p": said[:, 1], "yaw_t": true[:, 0]}
        ids = [f"{person}_{index}" for index in range(num)]
        named = {"subject": [person] * num, "sample_id": ids, "eye": ["left"] * num}
        tables.append(pl.DataFrame({**named, **columns, "pitch_t": true[:, 1]}))
    return pl.concat(tables)


def calibrated(table: pl.DataFrame, samples: int, **settings: int) -> CalibratedTest:
    return calibrate_people(table, CalibrationSettings(samples, **settings), PRIOR)


def errors(test: CalibratedTest) -> dict[int, float]:
    return {item["samples"]: item["mean_deg"] for item in test.summary["by_samples"]}


def test_one_sample_takes_away_most_of_an_offset() -> None:
    test = calibrated(results({"a": 6, "b": 9}), 1)
    # A tenth of a tenth: noise is a tenth of what offsets are, and counts by its square.
    assert errors(test)[1] == pytest.approx(errors(test)[0] / 101, rel=1e-2)
    assert list(test.people) == ["a", "b"]
    offset = test.people["a"].calibration.offset
    np.testing.assert_allclose(np.rad2deg(offset), np.array([-3, 8]) / 1.01, atol=1e-9)


def test_a_difference_is_of_the_same_people_and_samples() -> None:
    test = calibrated(results({"a": 12, "b": 12, "c": 30}, noise_deg=3), 9)
    first, *others = test.summary["by_samples"]
    assert first["to_uncalibrated"]["mean_deg"] == 0
    for item in others:
        change = item["to_uncalibrated"]
        assert change["mean_deg"] == pytest.approx(item["mean_deg"] - first["mean_deg"])
        # Everybody gains, by how much differs: less than how their errors do.
        interval = change["interval_over_subjects_deg"]
        assert interval["low"] < change["mean_deg"] < interval["high"] < 0


def test_a_prior_is_of_people_and_photos() -> None:
    """Two eyes that err alike are no two samples; each of a kind is known by its own axis."""
    left = results(dict.fromkeys(OFFSETS_DEG, 40), noise_deg=2)
    both = pl.concat([left, left.with_columns(eye=pl.lit("right"))])
    alone, together = prior_of(left), prior_of(both)
    assert alone.num_people == 3
    np.testing.assert_allclose(alone.noise_rad, np.deg2rad([2, 2]), rtol=0.15)
    np.testing.assert_allclose(together.noise_rad, alone.noise_rad, rtol=1e-6)
    spread = np.sqrt(np.square(list(OFFSETS_DEG.values())).mean(axis=0))
    np.testing.assert_allclose(np.rad2deg(alone.offset_rad), spread, rtol=0.05)


def test_a_residual_is_small_across_the_seam() -> None:
    columns = {"yaw_p": 178.0, "yaw_t": -178.0, "pitch_p": 0.0, "pitch_t": 0.0}
    table = results({"a": 3}).with_columns(**{name: pl.lit(v) for name, v in columns.items()})
    found = errors(calibrated(table, 1))
    assert found == pytest.approx({0: 4, 1: 4 / 101}, rel=1e-3)


def test_a_map_over_a_pole_comes_down_on_the_other_side() -> None:
    up = Calibration(np.eye(2), np.array([0.0, 0.2]))
    gaze = torch.tensor([[0.0, 1.5]], dtype=torch.float64)
    mapped = up(gaze)
    assert mapped[0, 1].abs() <= np.pi / 2
    assert angular_error(mapped, gaze).item() == pytest.approx(0.2)


def test_held_out_samples_do_not_touch_the_map() -> None:
    table = results({"a": 20}, noise_deg=2)
    before = calibrated(table, 9)
    fitted_on = before.people["a"].sample_ids
    assert len(fitted_on) == 9
    held_out = ~pl.col("sample_id").is_in(fitted_on)
    changed = table.with_columns(
        pl.when(held_out).then(pl.col(name) * 2 + 5).otherwise(pl.col(name)).alias(name)
        for name in ("yaw_t", "pitch_p")
    )
    after = calibrated(changed, 9)
    assert errors(after) != errors(before)
    for one, other in ((before, after), (after, before)):
        found, expected = one.people["a"].calibration, other.people["a"].calibration
        np.testing.assert_array_equal(found.matrix, expected.matrix)
        np.testing.assert_array_equal(found.offset, expected.offset)


def test_both_eyes_of_a_photo_stay_together() -> None:
    """Eyes that err alike within a photo, and differently in each: no photo helps another."""
    left = results({"a": 12}, noise_deg=5)
    both = pl.concat([left, left.with_columns(eye=pl.lit("right"))])
    alone, together = (calibrated(one, 3) for one in (left, both))
    assert len(together.people["a"].sample_ids) == 3
    assert errors(together) == pytest.approx(errors(alone))


def test_numbers_depend_on_the_seed_not_on_the_order_nor_on_other_people() -> None:
    table = results({"a": 20, "b": 20}, noise_deg=2)
    expected = calibrated(table, 5)
    shuffled = calibrated(table.sample(fraction=1, shuffle=True, seed=1), 5)
    alone = calibrated(table.filter(subject="b"), 5)
    assert shuffled.summary == expected.summary
    np.testing.assert_array_equal(alone.people["b"].errors_deg, expected.people["b"].errors_deg)
    assert errors(calibrated(table, 5, seed=1)) != errors(expected)


def test_all_numbers_of_samples_are_tested_on_the_same_others() -> None:
    test = calibrated(results({"a": 12, "b": 30}), 9, repeats=4)
    shapes = {name: one.errors_deg.shape for name, one in test.people.items()}
    assert shapes == {"a": (5, 4 * 3), "b": (5, 4 * 21)}
    table = test.table()
    assert table["samples"].to_list() == [0, 1, 3, 5, 9] * 3
    assert table["mean_deg"].to_list()[:5] == list(errors(test).values())
    of_nine = dict(table.filter(samples=9).select("subject", "mean_deg").iter_rows())
    weighted = (of_nine["a"] * 12 + of_nine["b"] * 84) / 96
    assert errors(test)[9] == pytest.approx(weighted)


def test_who_has_too_few_samples_is_left_out_and_named() -> None:
    test = calibrated(results({"a": 5, "b": 6, "c": 3}), 5)
    summary = test.summary
    assert (list(test.people), test.left_out, summary["left_out"]) == (
        ["b"],
        ["a", "c"],
        ["a", "c"],
    )
    assert summary["num_subjects"] == 1
    assert summary["by_samples"][-1]["interval_over_subjects_deg"] is None


@pytest.mark.parametrize(
    ("settings", "facts"),
    [({"samples": 0}, "samples:0.* 1"), ({"samples": 3, "repeats": 0}, "repeats:0.* 1")],
)
def test_a_calibration_takes_at_least_one_sample(settings: dict[str, Any], facts: str) -> None:
    with pytest.raises(ValueError, match=facts):
        CalibrationSettings(**settings)


def test_nobody_with_enough_samples_is_refused() -> None:
    with pytest.raises(ValueError, match=r"samples:9.* 6\b.*samples:5"):
        calibrated(results({"a": 6, "b": 4}), 9)


def test_samples_without_labels_are_refused() -> None:
    table = results({"a": 6}).with_columns(yaw_t=pl.lit(float("nan")))
    with pytest.raises(ValueError, match=r"labels.*split="):
        calibrated(table, 1)


MAP = Calibration(np.array([[1.1, 0.02], [-0.3, 0.9]]), np.array([0.05, -0.01]))


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(2, 2)


@pytest.fixture
def path(net: torch.nn.Module, tmp_path: Path) -> Path:
    write_calibration(tmp_path, "../x 1", MAP, net, DESCRIBED)
    (path,) = tmp_path.iterdir()
    return path


def test_a_file_gives_back_its_map(path: Path, net: torch.nn.Module) -> None:
    # In whatever precision the net is held.
    found = read_calibration(path, weights_sha256(net.double()), "targets", "camera")
    np.testing.assert_array_equal(found.matrix, MAP.matrix)
    np.testing.assert_array_equal(found.offset, MAP.offset)
    content = json.loads(path.read_text())
    assert (content["unit"], content["person"]) == ("rad", "../x 1")
    assert content.items() >= DESCRIBED.items()


@pytest.mark.parametrize(
    ("convention", "frame", "facts"),
    [
        ("vectors", "camera", "gaze_convention 'targets'.*'vectors'.*run=runs/mine"),
        ("targets", "normalised", "gaze_frame 'camera'.*'normalised'.*run=runs/mine"),
    ],
)
def test_a_file_of_another_convention_or_frame_is_refused(
    path: Path, net: torch.nn.Module, convention: str, frame: str, facts: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(path.name) + f".*{facts}"):
        read_calibration(path, weights_sha256(net), convention, frame)


def test_a_file_of_another_run_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"small.*trained on data.*run=runs/mine.*samples:9"):
        read_calibration(path, weights_sha256(torch.nn.Linear(2, 2)), "targets", "camera")


def test_a_file_that_is_missing_changed_or_another_says_how_to_make_one(
    path: Path, net: torch.nn.Module
) -> None:
    changed, other = path.with_name("changed.json"), path.with_name("other.json")
    changed.write_text(path.read_text().replace("0.05", "0.15"))
    for one in (path.with_name("none.json"), changed):
        with pytest.raises(ValueError, match=rf"{one.name}.*split=test.*samples:9"):
            read_calibration(one, weights_sha256(net), "targets", "camera")
    other.write_text('{"kind": "gaze_angle_test"}')
    with pytest.raises(ValueError, match=r"other\.json.*lacks.*map"):
        read_calibration(other, weights_sha256(net), "targets", "camera")


def test_the_figure_has_a_line_a_person_and_the_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = kept_figures(monkeypatch)
    table = calibrated(results({"a": 12, "b": 12}, noise_deg=2), 9).table()
    save_calibration_figure(table, tmp_path / "f.png", "demo")
    mean, *of_people = table.partition_by("subject", maintain_order=True)
    for axis, prefix in zip(kept[0].axes, ("", "to_uncalibrated_"), strict=True):
        # The line at no difference is the last.
        for line, rows in zip(axis.lines, [*of_people, mean], strict=False):
            np.testing.assert_array_equal(line.get_xdata(), [0, 1, 3, 5, 9])
            np.testing.assert_array_equal(line.get_ydata(), rows[f"{prefix}mean_deg"])
        lines: Any = axis.collections[0]
        whiskers = np.array(lines.get_segments())[:, :, 1]
        np.testing.assert_array_equal(whiskers, mean.select(f"^{prefix}subjects_.*$"))
