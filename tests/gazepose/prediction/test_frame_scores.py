"""Scores of all frames are those of validation, clip by clip."""

from copy import copy
from typing import Any

import numpy as np
import pytest
import torch
from builders.small_lam import (
    finish_store,
    small_row,
    without_head_pose,
    without_points,
    write_clip,
    write_small_lam,
)
from builders.small_nets import small_gazelstm, small_gazepose, small_module

from gazepose.data.dataset import ClipDataset, ClipRecipe, collate_clips
from gazepose.data.face_view import FaceView
from gazepose.data.temporal_dropout import TemporalDropout
from gazepose.prediction.frame_scores import FrameScorer
from gazepose.store.table import LamTable

SIZE = 32
SPLIT_DEG = 5.0
DROPOUT = TemporalDropout("gaussian", threshold=0.4)


def recipe_for(net: Any, dropout: TemporalDropout = DROPOUT) -> ClipRecipe:
    split_deg = SPLIT_DEG if net.uses_head else None
    return ClipRecipe(dropout, split_deg, net.uses_landmarks, False, False, False, FaceView(SIZE))


def scorer(net: Any, dropout: TemporalDropout = DROPOUT, **settings: Any) -> FrameScorer:
    return FrameScorer(small_module(net, **settings), recipe_for(net, dropout))


def scores_clip_by_clip(net: Any, table: LamTable, rows: np.ndarray, **settings: Any) -> np.ndarray:
    clips = ClipDataset(table, recipe_for(net), "val")
    batch = collate_clips([clips[int(row), 0] for row in rows])
    with torch.inference_mode():
        return small_module(net, **settings).scores(batch).numpy()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> LamTable:
    """Two clips of two tracks, and one whose track has gaps, missing images and priors."""
    folder = tmp_path_factory.mktemp("store")
    generator = np.random.default_rng(3)
    rows = [small_row(generator, "val", "track0", frame, i) for i, frame in enumerate(range(30))]
    del rows[11:13]
    rows[4]["image"] = rows[20]["image"] = rows[21]["image"] = False
    for index in (0, 6, 7, 15, 16, 17, 18, 19):
        rows[index] |= without_points()
    rows[9] |= without_head_pose()
    write_clip(folder, "gaps", rows, SIZE)
    write_small_lam(folder, clips={"val": 2}, size=SIZE)
    finish_store(folder)
    return LamTable.read(folder, head_pose=True, landmarks=True)


@pytest.fixture
def rows(table: LamTable) -> np.ndarray:
    return np.flatnonzero(table.num_bytes > 0)


@pytest.mark.parametrize("flip_average", [False, True])
def test_every_frame_is_scored_as_its_clip(
    table: LamTable, rows: np.ndarray, flip_average: bool
) -> None:
    flips = {"flip_average": flip_average, "mirror_priors": True}
    net = small_gazepose(split=SPLIT_DEG, train_landmark_codes=True)
    expected = scores_clip_by_clip(net, table, rows, **flips)
    np.testing.assert_allclose(scorer(net, **flips).of_rows(table, rows), expected, atol=1e-5)
    assert np.ptp(expected) > 1e-3


def test_some_rows_in_any_order(table: LamTable, rows: np.ndarray) -> None:
    net = small_gazelstm()
    chosen = np.random.default_rng(0).permutation(rows)[:9]
    expected = scores_clip_by_clip(net, table, chosen)
    np.testing.assert_allclose(scorer(net).of_rows(table, chosen), expected, atol=1e-5)


def test_no_row_has_no_score(table: LamTable) -> None:
    assert scorer(small_gazelstm()).of_rows(table, np.empty(0, np.int64)).shape == (0,)


def test_dropout_changes_scores(table: LamTable, rows: np.ndarray) -> None:
    net = small_gazelstm()
    with_dropout = scorer(net).of_rows(table, rows)
    without = scorer(net, dropout=TemporalDropout()).of_rows(table, rows)
    assert np.abs(with_dropout - without).max() > 1e-4


def test_a_still_is_a_clip_that_stands_still(table: LamTable) -> None:
    net = small_gazepose(split=SPLIT_DEG)
    images = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    assert table.head_pose_deg is not None
    poses = np.array([[10.0, -20, 3], [np.nan] * 3])
    points = np.full((2, 5, 3), np.nan)
    points[0] = [[0.5, 0.5, 1], [0.7, 0.4, 1], [0.3, 0.4, 1], [0.6, 0.8, 1], [0.4, 0.8, 1]]
    found = scorer(net).of_stills(images, poses, points)
    clip = torch.from_numpy(images).permute(0, 3, 1, 2)[:, None].expand(-1, 7, -1, -1, -1)
    middle = points[:, 1:3, :2].mean(axis=1, keepdims=True)
    offsets = (points[..., :2] - middle).transpose(0, 2, 1).reshape(2, 10)
    landmarks = np.nan_to_num(np.concatenate([offsets, points[..., 2]], axis=1))
    batch: Any = {
        "clip": clip,
        "head_bins": torch.tensor([[2, 4, 0], [18, 18, 18]]),
        "landmarks": torch.from_numpy(landmarks).float(),
    }
    with torch.inference_mode():
        expected = small_module(net).scores(batch).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_angles_beyond_the_table_are_counted(
    table: LamTable, rows: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    net = small_gazepose(split=SPLIT_DEG)
    images = np.zeros((3, SIZE, SIZE, 3), np.uint8)
    poses = np.array([[0.0, 99, 0], [np.nan] * 3, [-120.0, 99, 0]])
    scorer(net).of_stills(images, poses, np.full((3, 5, 3), np.nan))
    (said,) = caplog.messages
    assert "2 of 3" in said
    caplog.clear()
    scorer(net).of_rows(table, rows)
    scorer(small_gazelstm()).of_stills(images, poses, np.full((3, 5, 3), np.nan))
    assert caplog.messages == []
    assert table.head_pose_deg is not None
    other = copy(table)
    other.head_pose_deg = table.head_pose_deg.copy()
    other.head_pose_deg[rows[:4]] = [0.0, 0.0, 97.0]
    scorer(net).of_rows(other, rows)
    (said,) = caplog.messages
    assert f"4 of {len(rows)}" in said
