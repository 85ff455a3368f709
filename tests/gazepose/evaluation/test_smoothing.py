"""Smoothed scores of a track: what is averaged with what."""

import math
from itertools import pairwise
from statistics import median

import numpy as np
import polars as pl
import pytest

from gazepose.evaluation.smoothing import TrackSmoothing


def track(
    scores: list[float], frames: list[int] | None = None, uid: str = "a", trackid: str = "t"
) -> pl.DataFrame:
    numbers = list(range(len(scores))) if frames is None else frames
    return pl.DataFrame({"uid": uid, "trackid": trackid, "frame": numbers, "score": scores})


def small_tracks(seed: int = 0) -> pl.DataFrame:
    """Three tracks with gaps, one of them in another clip under the same name."""
    rng = np.random.default_rng(seed)
    names = [("a", "s"), ("a", "t"), ("b", "t")]
    parts = []
    for uid, trackid in names:
        frames = np.flatnonzero(rng.random(60) < 0.7) + 5
        frames[40:] += 30
        parts.append(track(rng.random(len(frames)).tolist(), frames.tolist(), uid, trackid))
    return pl.concat(parts)


def brute(smoothing: TrackSmoothing, rows: pl.DataFrame) -> list[float]:
    """Row by row, over all rows of its track that no gap cuts off."""
    found = []
    for own in rows.partition_by("uid", "trackid"):
        frames = own["frame"].to_list()
        for frame in frames:
            near = []
            for other, score in own.select("frame", "score").iter_rows():
                between = [f for f in frames if min(frame, other) <= f <= max(frame, other)]
                if all(b - a <= smoothing.max_gap_frames for a, b in pairwise(between)):
                    near.append((other - frame, score))
            found.append(_of_near(smoothing, near))
    return found


def _of_near(smoothing: TrackSmoothing, near: list[tuple[int, float]]) -> float:
    if smoothing.kind == "median":
        return median(score for far, score in near if abs(far) <= smoothing.width_frames // 2)
    sigma = smoothing.width_frames / (2 * math.sqrt(2 * math.log(2)))
    near = [(far, score) for far, score in near if abs(far) <= int(3.5 * sigma)]
    weights = [math.exp(-((far / sigma) ** 2) / 2) for far, _ in near]
    return sum(w * score for w, (_, score) in zip(weights, near, strict=True)) / sum(weights)


@pytest.mark.parametrize("kind", ["median", "gaussian"])
@pytest.mark.parametrize(("width_frames", "max_gap_frames"), [(1, 15), (5, 15), (9, 2), (31, 3)])
def test_it_is_what_brute_force_says(kind: str, width_frames: int, max_gap_frames: int) -> None:
    smoothing = TrackSmoothing(kind, width_frames, max_gap_frames)  # type: ignore[arg-type]
    rows = small_tracks()
    np.testing.assert_allclose(smoothing(rows)["score"], brute(smoothing, rows), atol=1e-12)


def test_off_changes_nothing() -> None:
    rows = small_tracks()
    assert TrackSmoothing()(rows) is rows
    assert TrackSmoothing().description is None


@pytest.mark.parametrize("kind", ["median", "gaussian"])
class TestBothKinds:
    def test_a_constant_stays(self, kind: str) -> None:
        rows = small_tracks().with_columns(score=pl.lit(0.25))
        np.testing.assert_allclose(TrackSmoothing(kind, 7)(rows)["score"], 0.25)  # type: ignore[arg-type]

    def test_rows_keep_their_order_and_all_else(self, kind: str) -> None:
        smoothing = TrackSmoothing(kind, 5)  # type: ignore[arg-type]
        rows = small_tracks().with_row_index("number")
        shuffled = rows.sample(fraction=1, shuffle=True, seed=1)
        smoothed = smoothing(shuffled)
        assert smoothed.drop("score").equals(shuffled.drop("score"))
        np.testing.assert_array_equal(smoothed.sort("number")["score"], smoothing(rows)["score"])

    def test_time_may_run_backward(self, kind: str) -> None:
        smoothing = TrackSmoothing(kind, 5)  # type: ignore[arg-type]
        rows = small_tracks()
        backward = rows.with_columns(frame=1000 - pl.col("frame"))
        np.testing.assert_allclose(
            smoothing(backward)["score"], smoothing(rows)["score"], atol=1e-12
        )

    def test_nothing_crosses_a_gap(self, kind: str) -> None:
        smoothing = TrackSmoothing(kind, 9, max_gap_frames=2)  # type: ignore[arg-type]
        rows = track([0, 0, 1, 1, 1, 1], [1, 2, 5, 6, 7, 8])
        assert smoothing(rows)["score"].to_list() == [0, 0, 1, 1, 1, 1]
        joined = TrackSmoothing(kind, 9, max_gap_frames=3)(rows)  # type: ignore[arg-type]
        assert joined["score"].to_list() != [0, 0, 1, 1, 1, 1]

    def test_nothing_crosses_from_track_to_track(self, kind: str) -> None:
        rows = pl.concat(
            [track([0.0] * 4, trackid="s"), track([1.0] * 4), track([0.5] * 4, uid="b")]
        )
        smoothed = TrackSmoothing(kind, 5)(rows)  # type: ignore[arg-type]
        np.testing.assert_allclose(smoothed["score"], rows["score"])

    def test_a_stride_beyond_the_width_leaves_all_as_it_is(self, kind: str) -> None:
        rows = track(np.random.default_rng(0).random(20).tolist(), list(range(0, 260, 13)))
        np.testing.assert_allclose(TrackSmoothing(kind, 5)(rows)["score"], rows["score"])  # type: ignore[arg-type]

    def test_nobody_and_one_frame(self, kind: str) -> None:
        smoothing = TrackSmoothing(kind, 5)  # type: ignore[arg-type]
        assert smoothing(track([0.5])[:0]).is_empty()
        assert smoothing(track([0.5]))["score"].to_list() == [0.5]


def test_a_median_removes_a_blink_and_keeps_an_edge() -> None:
    smoothed = TrackSmoothing("median", 5)(track([0, 0, 1, 0, 0, 0, 1, 1, 1, 1]))
    assert smoothed["score"].to_list() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_half_the_width_away_a_gaussian_weighs_half() -> None:
    # One score of 1 among zeros: what is seen elsewhere is its weight.
    scores = [0.0] * 101
    scores[50] = 1.0
    smoothed = TrackSmoothing("gaussian", 10)(track(scores))["score"]
    assert smoothed[55] / smoothed[50] == pytest.approx(0.5)
    assert smoothed.sum() == pytest.approx(1)


def test_many_rows_at_once_are_no_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, smoothing = small_tracks(), TrackSmoothing("median", 5)
    expected = smoothing(rows)
    monkeypatch.setattr("gazepose.evaluation.smoothing._NUM_ROWS_AT_ONCE", 7)
    assert smoothing(rows).equals(expected)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mean", 5), "kind.*'mean'.*'none', 'median', 'gaussian'"),
        (("median", 4), "width_frames.* 4.* odd .* 1 "),
        (("gaussian", 0), "width_frames.* 0.* 1 "),
        (("none", 5, 0), "max_gap_frames.* 0.* 1 "),
    ],
)
def test_senseless_numbers_are_refused(arguments: tuple[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TrackSmoothing(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["median", "gaussian"])
def test_scores_that_are_no_numbers_are_refused(kind: str) -> None:
    rows = track([0.1, math.nan, 0.3, math.inf])
    with pytest.raises(ValueError, match=r"2 of 4 .*uid a, trackid t, frame 1"):
        TrackSmoothing(kind)(rows)  # type: ignore[arg-type]
