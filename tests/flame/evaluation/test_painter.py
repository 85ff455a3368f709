"""Pictures of eye crops tell true and predicted gaze apart, and the worst errors from others."""

from pathlib import Path

import numpy as np
import pytest
import torch

from common.evaluation.sample_grid import WRONG
from common.faces.drawing import GAZE_COLOUR
from flame.data.datamodule import GazeDataModule
from flame.evaluation.painter import TRUE_COLOUR, GazePainter, with_heatmap

TILE_PX = 168


@pytest.fixture(scope="module")
def datamodule(store_dir: Path) -> GazeDataModule:
    fractions = [0.5, 0.25, 0.25]
    return GazeDataModule(
        "small", str(store_dir), "cross_person", fractions, eval_eye="both", num_workers=0
    )


def outputs(datamodule: GazeDataModule, off_rad: list[float]) -> list[dict[str, torch.Tensor]]:
    """What a test returns that is off in yaw by so much, sample by sample."""
    (batch,) = datamodule.test_dataloader()
    off = torch.zeros_like(batch["gaze"])
    off[: len(off_rad), 0] = torch.tensor(off_rad)
    kept = {name: batch[name] for name in ("gaze", "row", "eye")}
    return [{"prediction": batch["gaze"] + off, **kept}]


def count(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    """Pixels near a colour: lines are thin and antialiased."""
    return int((np.abs(image.astype(int) - colour).max(-1) < 40).sum())


def test_worst_are_the_largest_errors_with_their_names(datamodule: GazeDataModule) -> None:
    painter = GazePainter()
    table = painter.table(outputs(datamodule, [0.1, 0.4, 0.0, 0.3]), datamodule)
    worst = painter.worst(table, 3)
    assert worst["error_deg"].to_list() == sorted(table["error_deg"], reverse=True)[:3]
    (batch,) = datamodule.test_dataloader()
    named = datamodule.table["sample_id"][int(batch["row"][1])]
    assert worst["sample_id"][0] == named
    assert worst.select(painter.mistake_columns).width == len(painter.mistake_columns)


def test_samples_that_are_no_number_are_left_out(datamodule: GazeDataModule) -> None:
    found = outputs(datamodule, [0.1, float("nan")])
    table = GazePainter().table(found, datamodule)
    assert table.height == len(found[0]["row"]) - 1


def test_a_tile_shows_the_crop_and_two_arrows(datamodule: GazeDataModule) -> None:
    painter = GazePainter(heatmap=False)
    table = painter.table(outputs(datamodule, [0.5]), datamodule)
    off = painter.worst(table, 1).row(0, named=True)
    drawn = painter.tile(off, datamodule)
    assert drawn.shape[1] == TILE_PX
    picture, words = drawn[:TILE_PX], drawn[TILE_PX:]
    assert count(picture, TRUE_COLOUR) > 20
    assert count(picture, GAZE_COLOUR) > 20
    # More than ten degrees off is said in red.
    assert count(words, WRONG) > 0
    right = {**off, "yaw_p": off["yaw_t"], "pitch_p": off["pitch_t"], "error_deg": 0.0}
    agreeing = painter.tile(right, datamodule)
    assert count(agreeing[TILE_PX:], WRONG) == 0
    # The predicted arrow lies on the true one.
    assert count(agreeing[:TILE_PX], TRUE_COLOUR) < count(picture, TRUE_COLOUR)


def test_the_heatmap_colours_the_landmarks_and_nothing_else() -> None:
    crop = np.full((120, 120, 3), 200, np.uint8)
    landmarks = torch.full((112,), -50.0)
    landmarks[[0, 56]] = torch.tensor([30.0, 80.0])
    changed = (with_heatmap(crop, landmarks) != crop).any(-1)
    rows, columns = np.nonzero(changed)
    assert changed[80, 30]
    assert np.abs(rows - 80).max() <= 4
    assert np.abs(columns - 30).max() <= 4


def test_the_same_samples_are_chosen_whatever_was_predicted(datamodule: GazeDataModule) -> None:
    painter = GazePainter()
    chosen = [
        painter.chosen(painter.table(outputs(datamodule, off), datamodule), 4).select("row", "eye")
        for off in ([0.1], [0.0, 0.2])
    ]
    assert chosen[0].equals(chosen[1])
    assert chosen[0].height == 4


def test_charts_hold_true_and_predicted_angles(datamodule: GazeDataModule) -> None:
    painter = GazePainter()
    table = painter.table(outputs(datamodule, [0.1]), datamodule)
    charts = painter.charts(table)
    assert set(charts) == {"yaw_scatter", "pitch_scatter"}
    off = charts["yaw_scatter"].table.select(np.abs(charts["yaw_scatter"].table["true"])).height
    assert off == table.height
    for chart in charts.values():
        assert set(chart.fields.values()) == set(chart.table.columns)
