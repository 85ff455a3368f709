"""Numbers of a test by slice, and of scores that need no training."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders.brute_precision import mean_precision
from builders.small_predictions import small_predictions

from common.evaluation.score_slices import score_slices, slice_table
from common.evaluation.scores import baseline_maps, describe_samples

KINDS = [
    *("sharpness", "face_height", "face_size", "head_yaw", "head_pitch", "track_length", "clip")
]


@pytest.fixture(scope="module")
def predictions() -> pl.DataFrame:
    return small_predictions()


@pytest.fixture(scope="module")
def slices(predictions: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    return score_slices(predictions)


def brute_map(rows: pl.DataFrame, score: str = "score") -> float:
    return mean_precision(rows[score].to_list(), rows["label"].to_list())


def test_the_whole_is_described(predictions: pl.DataFrame) -> None:
    found = describe_samples(predictions)
    assert found["num_samples"] == len(predictions)
    assert found["num_clips"] == 4
    assert found["num_positive"] == predictions["label"].sum()
    assert found["map"] == pytest.approx(brute_map(predictions), abs=1e-12)
    interval = found["interval_over_clips"]
    assert interval["low"] < found["map"] < interval["high"]


def test_every_sample_is_in_one_slice_of_each_kind(
    slices: dict[str, list[dict[str, Any]]], predictions: pl.DataFrame
) -> None:
    assert list(slices) == KINDS
    for kind, items in slices.items():
        assert sum(item["num_samples"] for item in items) == len(predictions), kind
        assert sum(item["num_positive"] for item in items) == predictions["label"].sum(), kind
        confusion = np.sum([item["confusion"] for item in items], axis=0).tolist()
        assert confusion == describe_samples(predictions)["confusion"], kind


def test_slices_stand_in_the_order_of_their_values(
    slices: dict[str, list[dict[str, Any]]],
) -> None:
    assert {kind: [item["slice"] for item in items] for kind, items in slices.items()} == {
        "sharpness": ["low", "high"],
        "face_height": ["0-48", "48-64", "64-128", "128+"],
        "face_size": ["0-32", "32-64", "64-128", "128-256", "256+"],
        "head_yaw": ["0-15", "15-30", "30-45", "45-60", "60+"],
        "head_pitch": ["0-15", "15-30"],
        "track_length": ["0-30", "30-90", "90-300", "300-900", "900+"],
        "clip": ["clip0", "clip1", "clip2", "clip3"],
    }


@pytest.mark.parametrize(
    ("kind", "name", "samples"),
    [
        ("sharpness", "low", pl.col("sharpness_p") < 0.5),
        ("sharpness", "high", pl.col("sharpness_p") >= 0.5),
        ("face_height", "48-64", pl.col("y2") - pl.col("y1") == 50),
        ("face_size", "32-64", pl.col("x2") - pl.col("x1") == 50),
        ("head_yaw", "15-30", pl.col("head_yaw_deg").abs().is_between(15, 30)),
        ("head_pitch", "15-30", pl.col("head_pitch_deg").abs() >= 15),
        ("track_length", "900+", pl.col("track_length") == 1000),
        ("clip", "clip2", pl.col("uid") == "clip2"),
    ],
)
def test_a_slices_numbers_are_those_of_its_samples(
    kind: str,
    name: str,
    samples: pl.Expr,
    slices: dict[str, list[dict[str, Any]]],
    predictions: pl.DataFrame,
) -> None:
    (found,) = (item for item in slices[kind] if item["slice"] == name)
    assert found["num_samples"] == predictions.filter(samples).height
    assert found["map"] == pytest.approx(brute_map(predictions.filter(samples)), abs=1e-12)


@pytest.mark.parametrize(
    ("p", "side", "yaw_deg", "pitch_deg", "length", "names"),
    [
        (0.5, 32.0, -15.0, 45.0, 30, ["high", "0-48", "32-64", "15-30", "45-60", "30-90"]),
        (0.499, 31.9, 14.9, -44.9, 29, ["low", "0-48", "0-32", "0-15", "30-45", "0-30"]),
        (1.0, 256.0, 120.0, -60.0, 900, ["high", "128+", "256+", "60+", "60+", "900+"]),
        (math.nan, math.nan, math.nan, math.nan, None, ["unknown"] * 6),
        (None, None, None, None, None, ["unknown"] * 6),
    ],
)
def test_edges_belong_to_the_bin_above_and_nothing_known_to_none(
    p: float,
    side: float,
    yaw_deg: float,
    pitch_deg: float,
    length: int,
    names: list[str],
    predictions: pl.DataFrame,
) -> None:
    one = predictions[:1].with_columns(
        x1=pl.lit(0.0),
        y1=pl.lit(0.0),
        x2=pl.lit(side, pl.Float64),
        y2=pl.lit(side, pl.Float64),
        sharpness_p=pl.lit(p, pl.Float64),
        head_yaw_deg=pl.lit(yaw_deg, pl.Float32),
        head_pitch_deg=pl.lit(pitch_deg, pl.Float32),
        track_length=pl.lit(length, pl.Int64),
    )
    found = score_slices(one)
    assert [found[kind][0]["slice"] for kind in KINDS[:6]] == names


def test_a_slice_of_one_class_has_no_map_but_all_else(predictions: pl.DataFrame) -> None:
    negatives = describe_samples(predictions.filter(pl.col("label") == 0))
    assert (negatives["map"], negatives["ap_lam"], negatives["ap_not_lam"]) == (None, None, 1.0)
    assert negatives["interval_over_clips"] is None
    assert 0 < negatives["accuracy"] < 1


def test_the_table_has_a_row_a_slice(slices: dict[str, list[dict[str, Any]]]) -> None:
    table = slice_table(slices)
    assert table.columns == [
        *("slice_kind", "slice", "num_samples", "num_clips", "num_positive", "map"),
        *("clips_low", "clips_high", "ap_lam", "ap_not_lam", "accuracy", "tn", "fp", "fn", "tp"),
    ]
    assert table["slice_kind"].unique(maintain_order=True).to_list() == KINDS
    for kind, items in slices.items():
        part = table.filter(pl.col("slice_kind") == kind)
        assert part["map"].to_list() == [item["map"] for item in items]
        assert part["tp"].to_list() == [item["confusion"][1][1] for item in items]
    # Nothing can be resampled where there is one clip.
    one_clip = table.filter(pl.col("slice_kind") == "clip")
    assert one_clip["clips_low"].null_count() == one_clip.height
    with_interval = table.drop_nulls("clips_low")
    assert (with_interval["clips_low"] <= with_interval["clips_high"]).all()


def test_baselines_look_at_no_score(predictions: pl.DataFrame) -> None:
    yaw, pitch = (
        np.deg2rad(predictions[f"head_{axis}_deg"].to_numpy().astype(float))
        for axis in ("yaw", "pitch")
    )
    face = np.stack([np.cos(pitch) * np.sin(yaw), np.sin(pitch), np.cos(pitch) * np.cos(yaw)])
    angle = np.arccos(face[2] / np.linalg.norm(face, axis=0))
    rows = predictions.with_columns(turned=pl.Series(-angle))
    expected = {
        "constant": 0.5,
        "head_pose": brute_map(rows, "turned"),
        "sharpness": brute_map(rows, "sharpness"),
    }
    found = baseline_maps(predictions.with_columns(score=pl.lit(0.0)))
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_head_of_unknown_pose_is_turned_away(predictions: pl.DataFrame) -> None:
    turned = {"head_yaw_deg": 90.0, "head_pitch_deg": 90.0}
    is_unknown = pl.col("frame") % 3 == 0
    unknown, away = (
        predictions.with_columns(
            pl.when(is_unknown).then(pl.lit(value, pl.Float32)).otherwise(pl.col(name)).alias(name)
            for name, value in values.items()
        )
        for values in (dict.fromkeys(turned, math.nan), turned)
    )
    assert baseline_maps(unknown)["head_pose"] == pytest.approx(baseline_maps(away)["head_pose"])


def test_what_is_not_known_of_anybody_is_no_baseline(predictions: pl.DataFrame) -> None:
    nothing = predictions.with_columns(
        head_yaw_deg=pl.lit(math.nan), sharpness=pl.lit(None, pl.Float64)
    )
    assert baseline_maps(nothing) == {"constant": 0.5, "head_pose": None, "sharpness": None}
    one_class = predictions.with_columns(label=pl.lit(1))
    assert set(baseline_maps(one_class).values()) == {None}


def test_samples_of_several_sources_are_told_by_source(predictions: pl.DataFrame) -> None:
    source = pl.when(pl.col("x2") > 100).then(pl.lit("b")).when(pl.col("x2") > 50).then(pl.lit("a"))
    found = score_slices(predictions.with_columns(source.alias("source")))["source"]
    assert [item["slice"] for item in found] == ["a", "b", "unknown"]
    assert sum(item["num_samples"] for item in found) == len(predictions)
    in_a = predictions.filter(pl.col("x2").is_between(50, 100, closed="right"))
    assert found[0]["map"] == pytest.approx(brute_map(in_a), abs=1e-12)
    none = predictions.with_columns(pl.lit(None, pl.String).alias("source"))
    assert "source" not in score_slices(none)
