"""A person's own calibration: what it takes away, what it is fitted on, what it is tested on."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from builders.kept_figures import kept_figures

from common.geometry import angular_error
from flame.evaluation.calibrated_errors import CalibratedTest, CalibrationSettings, calibrate_people
from flame.evaluation.calibration import (
    Calibration,
    fit_calibration,
    read_calibration,
    weights_sha256,
    write_calibration,
)
from flame.evaluation.figures import save_calibration_figure

OFFSETS_DEG = {"a": (3.0, -8.0), "b": (-5.0, 1.0), "c": (0.5, 12.0)}
SLOPES = np.array([[1.2, 0.1], [-0.05, 0.8]])
DESCRIBED = {
    **{"run": "runs/mine", "model": "small", "trained_on": "data"},
    **{"gaze_convention": "targets", "gaze_frame": "camera"},
}


def results(
    people: dict[str, int], slopes: np.ndarray | None = None, noise_deg: float = 0.0
) -> pl.DataFrame:
    """So many samples of each person; what is said is the label mapped, off by the person's own."""
    generator = np.random.default_rng(0)
    tables = []
    for person, num in people.items():
        true = generator.uniform(-25, 25, (num, 2))
        said = true @ (np.eye(2) if slopes is None else slopes).T + OFFSETS_DEG[person]
        said += generator.normal(0, 1, (num, 2)) * noise_deg
        columns = {"yaw_p": said[:, 0], "pitch_p": said[:, 1], "yaw_t": true[:, 0]}
        ids = [f"{person}_{index}" for index in range(num)]
        named = {"subject": [person] * num, "sample_id": ids, "eye": ["left"] * num}
        tables.append(pl.DataFrame({**named, **columns, "pitch_t": true[:, 1]}))
    return pl.concat(tables)


def errors(test: CalibratedTest) -> dict[int, float]:
    return {item["samples"]: item["mean_deg"] for item in test.summary["by_samples"]}


def test_one_sample_takes_away_an_offset() -> None:
    test = calibrate_people(results({"a": 6, "b": 9}), CalibrationSettings(1))
    assert errors(test)[1] < 1e-9 < 3 < errors(test)[0]
    assert list(test.people) == ["a", "b"]
    offset = test.people["a"].calibration.offset
    np.testing.assert_allclose(np.rad2deg(offset), [-3, 8], atol=1e-9)


def test_nine_samples_undo_an_affine_distortion_fewer_do_not() -> None:
    found = errors(calibrate_people(results({"a": 30, "b": 25}, SLOPES), CalibrationSettings(9)))
    assert list(found) == [0, 1, 3, 5, 9]
    assert found[9] < 1e-9
    assert min(found[num] for num in (0, 1, 3, 5)) > 0.5


def test_noise_draws_the_slopes_to_one() -> None:
    """Slopes that come from noise alone are believed less than least squares believes them."""
    generator = np.random.default_rng(0)
    target = generator.normal(0, 0.1, (40, 9, 2))
    said = target + generator.normal(0, 0.1, target.shape)
    drawn, unregularised = [], []
    for p, t in zip(said, target, strict=True):
        drawn.append(fit_calibration(p, t, is_affine=True).matrix - np.eye(2))
        centred = p - p.mean(0), t - p - (t - p).mean(0)
        unregularised.append(np.linalg.lstsq(*centred, rcond=None)[0])
    assert np.square(drawn).mean() < 0.2 * np.square(unregularised).mean()


def test_samples_in_one_direction_give_an_offset() -> None:
    said = np.tile([0.2, -0.1], (9, 1))
    found = fit_calibration(said, said + np.array([0.05, 0.02]), is_affine=True)
    gaze = torch.tensor([[0.3, 0.3]], dtype=torch.float64)
    np.testing.assert_allclose(found(gaze), gaze + torch.tensor([[0.05, 0.02]]), atol=1e-9)


def test_offsets_are_small_across_the_seam_and_over_a_pole() -> None:
    seam = fit_calibration(np.array([[3.1, 0.0]]), np.array([[-3.1, 0.0]]), is_affine=False)
    np.testing.assert_allclose(seam.offset, [2 * np.pi - 6.2, 0], atol=1e-12)
    up = Calibration(np.eye(2), np.array([0.0, 0.2]))
    gaze = torch.tensor([[0.0, 1.5]], dtype=torch.float64)
    mapped = up(gaze)
    assert mapped[0, 1].abs() <= np.pi / 2
    assert angular_error(mapped, gaze).item() == pytest.approx(0.2)


@pytest.mark.parametrize("samples", [3, 9])
def test_held_out_samples_do_not_touch_the_map(samples: int) -> None:
    table, settings = results({"a": 20}, noise_deg=2), CalibrationSettings(samples)
    before = calibrate_people(table, settings)
    fitted_on = before.people["a"].sample_ids
    assert len(fitted_on) == samples
    held_out = ~pl.col("sample_id").is_in(fitted_on)
    changed = table.with_columns(
        pl.when(held_out).then(pl.col(name) * 2 + 5).otherwise(pl.col(name)).alias(name)
        for name in ("yaw_t", "pitch_p")
    )
    after = calibrate_people(changed, settings)
    assert errors(after) != errors(before)
    for one, other in ((before, after), (after, before)):
        found, expected = one.people["a"].calibration, other.people["a"].calibration
        np.testing.assert_array_equal(found.matrix, expected.matrix)
        np.testing.assert_array_equal(found.offset, expected.offset)


def test_both_eyes_of_a_photo_stay_together() -> None:
    """Eyes that err alike within a photo, and differently in each: no photo helps another."""
    left = results({"a": 12}, noise_deg=5)
    both = pl.concat([left, left.with_columns(eye=pl.lit("right"))])
    alone, together = (calibrate_people(one, CalibrationSettings(3)) for one in (left, both))
    assert len(together.people["a"].sample_ids) == 3
    assert errors(together) == pytest.approx(errors(alone))


def test_numbers_depend_on_the_seed_not_on_the_order_nor_on_other_people() -> None:
    table, settings = results({"a": 20, "b": 20}, noise_deg=2), CalibrationSettings(5)
    expected = calibrate_people(table, settings)
    shuffled = calibrate_people(table.sample(fraction=1, shuffle=True, seed=1), settings)
    alone = calibrate_people(table.filter(subject="b"), settings)
    assert shuffled.summary == expected.summary
    np.testing.assert_array_equal(alone.people["b"].errors_deg, expected.people["b"].errors_deg)
    assert errors(calibrate_people(table, replace(settings, seed=1))) != errors(expected)


def test_all_numbers_of_samples_are_tested_on_the_same_others() -> None:
    test = calibrate_people(results({"a": 12, "b": 30}), CalibrationSettings(9, repeats=4))
    shapes = {name: one.errors_deg.shape for name, one in test.people.items()}
    assert shapes == {"a": (5, 4 * 3), "b": (5, 4 * 21)}
    table = test.table()
    assert table["samples"].to_list() == [0, 1, 3, 5, 9] * 3
    assert table["mean_deg"].to_list()[:5] == list(errors(test).values())
    of_nine = dict(table.filter(samples=9).select("subject", "mean_deg").iter_rows())
    weighted = (of_nine["a"] * 12 + of_nine["b"] * 84) / 96
    assert errors(test)[9] == pytest.approx(weighted)


def test_who_has_too_few_samples_is_left_out_and_named() -> None:
    test = calibrate_people(results({"a": 5, "b": 6, "c": 3}), CalibrationSettings(5))
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
        calibrate_people(results({"a": 6, "b": 4}), CalibrationSettings(9))


def test_samples_without_labels_are_refused() -> None:
    table = results({"a": 6}).with_columns(yaw_t=pl.lit(float("nan")))
    with pytest.raises(ValueError, match=r"labels.*split="):
        calibrate_people(table, CalibrationSettings(1))


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
    table = calibrate_people(
        results({"a": 12, "b": 12}, noise_deg=2), CalibrationSettings(9)
    ).table()
    save_calibration_figure(table, tmp_path / "f.png", "demo")
    (axis,) = kept[0].axes
    mean, *of_people = table.partition_by("subject", maintain_order=True)
    for line, rows in zip(axis.lines, [*of_people, mean], strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [0, 1, 3, 5, 9])
        np.testing.assert_array_equal(line.get_ydata(), rows["mean_deg"])
    lines: Any = axis.collections[0]
    whiskers = np.array(lines.get_segments())[:, :, 1]
    np.testing.assert_array_equal(whiskers, mean.select("^subjects_.*$"))
