"""Pictures of clips: the net's seven frames, right decisions told from wrong ones."""

import numpy as np
import polars as pl
import pytest
import torch
from builders.small_lam import NEGATIVE, POSITIVE, write_small_lam

from common.evaluation.average_precision import lam_precision
from common.evaluation.sample_grid import NEUTRAL, RIGHT, WRONG
from gazepose.data.datamodule import LamDataModule
from gazepose.evaluation.painter import ClipPainter, decision_colour

FACE_PX, NUM_FRAMES = 64, 7
PAINTER = ClipPainter()


@pytest.fixture(scope="module")
def datamodule(tmp_path_factory: pytest.TempPathFactory) -> LamDataModule:
    store_dir = tmp_path_factory.mktemp("pictures") / "store"
    write_small_lam(store_dir, clips={"train": 1, "val": 3}, num_frames=20)
    return LamDataModule("small", str(store_dir), image_size=32, val_stride=1, num_workers=0)


@pytest.fixture(scope="module")
def table(datamodule: LamDataModule) -> pl.DataFrame:
    """Of random scores."""
    rows = torch.from_numpy(datamodule.test_rows())
    label = torch.from_numpy(datamodule.table.label[rows.numpy()]).long()
    score = torch.rand(len(rows), generator=torch.Generator().manual_seed(0))
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))
    batches = [{"row": rows[i], "label": label[i], "score": score[i]} for i in order.split(7)]
    return PAINTER.table(batches, datamodule)


def test_a_table_knows_its_rows_whatever_their_order(
    table: pl.DataFrame, datamodule: LamDataModule
) -> None:
    rows = table["row"].to_numpy()
    np.testing.assert_array_equal(rows, datamodule.test_rows())
    np.testing.assert_array_equal(table["label"], datamodule.table.label[rows])
    np.testing.assert_array_equal(table["frame"], datamodule.table.frame[rows])


def test_worst_are_wrong_and_one_a_track(table: pl.DataFrame) -> None:
    worst = PAINTER.worst(table, 16)
    assert ((worst["score"] >= 0.5) != (worst["label"] == 1)).all()
    assert worst.n_unique(["uid", "trackid"]) == worst.height == 6
    assert worst["mistake"].is_sorted(descending=True)
    assert worst["mistake"][0] == table["mistake"].max()
    assert worst.select(PAINTER.mistake_columns).width == len(PAINTER.mistake_columns)


def test_half_of_the_chosen_look(table: pl.DataFrame) -> None:
    assert PAINTER.chosen(table, 8)["label"].to_list() == [1] * 4 + [0] * 4
    only = table.filter(pl.col("label") == 0)
    assert PAINTER.chosen(only, 8)["label"].to_list() == [0] * 8


@pytest.mark.parametrize(
    ("score", "label", "colour"),
    [
        *((0.9, 1, RIGHT), (0.1, 0, RIGHT), (0.5, 1, RIGHT)),
        *((0.9, 0, WRONG), (0.1, 1, WRONG), (0.5, 0, WRONG), (0.9, -1, NEUTRAL)),
    ],
)
def test_the_colour_of_a_decision(score: float, label: int, colour: tuple[int, int, int]) -> None:
    assert decision_colour(score, label) == colour


def test_a_tile_shows_the_seven_frames_in_order(
    table: pl.DataFrame, datamodule: LamDataModule
) -> None:
    """The store's red is the frame number, its green the label."""
    sample = table.filter(pl.col("frame") == 20).row(0, named=True)
    tile = PAINTER.tile(sample, datamodule)
    assert tile.shape[1] == NUM_FRAMES * FACE_PX
    middles = tile[FACE_PX // 2, FACE_PX // 2 :: FACE_PX]
    assert middles[:, 0].tolist() == [17, 18, 19, 20, 21, 22, 23]
    assert middles[3, 1] == (POSITIVE if sample["label"] == 1 else NEGATIVE)
    edge = tile[0, 3 * FACE_PX + 10]
    assert tuple(edge) == decision_colour(sample["score"], sample["label"])


def test_charts_hold_the_curves_and_every_sample(table: pl.DataFrame) -> None:
    charts = PAINTER.charts(table)
    counts = charts["confusion"].table
    assert counts["nPredictions"].sum() == table.height
    looking = counts.filter(pl.col("Actual") == "looking")["nPredictions"].sum()
    assert looking == (table["label"] == 1).sum()
    curve = charts["precision_recall"].table.filter(pl.col("class") == "looks at the camera")
    assert curve["recall"].is_sorted()
    envelope = np.maximum.accumulate(curve["precision"].to_numpy()[::-1])[::-1]
    area = (np.diff(curve["recall"].to_numpy(), prepend=0) * envelope).sum()
    expected = lam_precision(table["score"].to_numpy(), table["label"].to_numpy()).lam
    assert area == pytest.approx(expected)
    for chart in charts.values():
        assert set(chart.fields.values()) == set(chart.table.columns)


def test_without_labels_there_are_samples_only(table: pl.DataFrame) -> None:
    unknown = table.with_columns(
        pl.lit(-1).cast(pl.Int8).alias("label"), pl.lit(None).cast(pl.Float64).alias("mistake")
    )
    assert PAINTER.chosen(unknown, 5).height == 5
    assert PAINTER.worst(unknown, 5).is_empty()
    assert (PAINTER.figures(unknown), PAINTER.charts(unknown)) == ({}, {})
