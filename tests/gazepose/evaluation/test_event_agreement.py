"""Agreement of looks in time, on tracks whose looks are known."""

from typing import Any

import polars as pl
import pytest

from gazepose.evaluation.event_agreement import event_numbers

FPS_HZ = 10.0


def tracks(*looks: tuple[str, str], stride: int = 1) -> pl.DataFrame:
    """A track for each pair of truth and prediction, frame by frame: ``.##.``."""
    rows = [
        ("clip", f"{number}", 100 + stride * place, int(label == "#"), float(score == "#"))
        for number, (true, said) in enumerate(looks)
        for place, (label, score) in enumerate(zip(true, said, strict=True))
    ]
    columns = ["uid", "trackid", "frame", "label", "score"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def numbers(*looks: tuple[str, str], stride: int = 1) -> dict[str, Any]:
    found = event_numbers(tracks(*looks, stride=stride), 0.5, stride, FPS_HZ)
    assert found is not None
    return found


def test_what_agrees_agrees_in_all() -> None:
    found = numbers((".##..###", ".##..###"), ("####", "####"))
    assert (found["num_true"], found["num_predicted"], found["num_matched"]) == (3, 3, 3)
    assert found["precision"] == found["recall"] == found["f1"] == 1
    assert found["onset_difference_s"] == found["duration_difference_s"] == 0
    # Twelve frames at 10 Hz are 1.2 s.
    assert found["true_per_minute"] == found["predicted_per_minute"] == pytest.approx(3 / 1.2 * 60)
    assert found["time_resolution_s"] == 0.1


def test_onset_and_duration_are_compared_in_seconds() -> None:
    found = numbers(("..####..", "...#####"))
    assert found["num_matched"] == 1
    assert found["onset_difference_s"] == pytest.approx(0.1)
    assert found["duration_difference_s"] == pytest.approx(0.1)
    sparse = numbers(("..####..", "...#####"), stride=3)
    assert sparse["onset_difference_s"] == sparse["duration_difference_s"] == pytest.approx(0.3)
    assert sparse["time_resolution_s"] == pytest.approx(0.3)


def test_missed_and_invented_looks_count() -> None:
    found = numbers(("##......", "......##"), ("........", "###....."), ("###.....", "........"))
    assert (found["num_true"], found["num_predicted"], found["num_matched"]) == (2, 2, 0)
    assert found["precision"] == found["recall"] == found["f1"] == 0
    assert found["onset_difference_s"] is found["duration_difference_s"] is None
    nobody = numbers(("....", "...."))
    assert nobody["precision"] is nobody["recall"] is nobody["f1"] is None


def test_looks_end_with_their_track_and_where_frames_are_missing() -> None:
    assert numbers(("##", "##"), ("##", "##"))["num_true"] == 2
    gap = tracks(("####", "####")).filter(pl.col("frame") != 102)
    found = event_numbers(gap, 0.5, 1, FPS_HZ)
    assert found is not None
    assert found["num_true"] == 2


def test_the_order_of_rows_makes_no_difference() -> None:
    table = tracks((".##.#.", "..###."), ("##..", "#..."))
    assert event_numbers(table.reverse(), 0.5, 1, FPS_HZ) == event_numbers(table, 0.5, 1, FPS_HZ)


def test_the_threshold_says_who_looks() -> None:
    table = tracks(("####", "####")).with_columns(pl.lit(0.4).alias("score"))
    low, high = (event_numbers(table, threshold, 1, FPS_HZ) for threshold in (0.4, 0.5))
    assert low is not None
    assert high is not None
    assert (low["num_matched"], high["num_predicted"]) == (1, 0)


def test_single_frames_sparse_ones_and_unknown_rates_have_no_events() -> None:
    photos = tracks(("#", "#"), (".", "#"))
    assert event_numbers(photos, 0.5, 1, FPS_HZ) is None
    track = ("####", "####")
    assert event_numbers(tracks(track), 0.5, 1, None) is None
    assert event_numbers(tracks(track, stride=4), 0.5, 4, FPS_HZ) is None
    assert event_numbers(tracks(track, stride=3), 0.5, 3, FPS_HZ) is not None
