"""Scores of all frames are those of validation, clip by clip."""

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

from gazepose.data.clip_frames import ClipFrames
from gazepose.data.dataset import ClipDataset, ClipRecipe, collate_clips
from gazepose.data.face_view import FaceView
from gazepose.data.temporal_dropout import TemporalDropout
from gazepose.data.windows import window_rows
from gazepose.prediction.frame_scores import Clip, FrameScorer, Look, still
from gazepose.preprocessing.preparation import PreparedFace
from gazepose.store.columns import POINT_COLUMNS
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


def clips_of(table: LamTable, rows: np.ndarray, looked: FrameScorer) -> list[Clip]:
    """The clips of some rows, all of whose images were looked at in batches of five."""
    every = np.arange(len(table))
    frames = ClipFrames(table, looked.recipe.view)
    images = {int(row): frames.read(np.array([row]))[0] for row in every}
    known = [row for row, image in images.items() if image is not None]
    looks: dict[int, Look] = {}
    for start in range(0, len(known), 5):
        some = known[start : start + 5]
        looks |= zip(some, looked.look([images[row] for row in some]), strict=True)  # type: ignore[misc]
    points = table.select(every, POINT_COLUMNS).to_numpy().reshape(-1, 5, 3)
    assert table.head_pose_deg is not None
    faces = [
        PreparedFace(b"", 0.0, *both) for both in zip(points, table.head_pose_deg, strict=True)
    ]
    clips = []
    for window in window_rows(table, rows).tolist():
        sharpness_p = [np.nan if row < 0 else table.sharpness_p[row] for row in window]
        around = [None if row < 0 else faces[row] for row in window]
        clips.append(Clip([looks.get(row) for row in window], np.array(sharpness_p), around))
    return clips


@pytest.mark.parametrize("flip_average", [False, True])
def test_every_frame_is_scored_as_its_clip(
    table: LamTable, rows: np.ndarray, flip_average: bool
) -> None:
    flips = {"flip_average": flip_average, "mirror_priors": True}
    net = small_gazepose(split=SPLIT_DEG, train_landmark_codes=True)
    expected = scores_clip_by_clip(net, table, rows, **flips)
    found = scorer(net, **flips)
    np.testing.assert_allclose(found.scores(clips_of(table, rows, found)), expected, atol=1e-5)
    assert np.ptp(expected) > 1e-3


def test_a_net_without_priors_or_maps_is_asked_alike(table: LamTable, rows: np.ndarray) -> None:
    net = small_gazelstm()
    found = scorer(net)
    expected = scores_clip_by_clip(net, table, rows[:9])
    np.testing.assert_allclose(found.scores(clips_of(table, rows[:9], found)), expected, atol=1e-5)


def test_nothing_has_no_score() -> None:
    found = scorer(small_gazelstm())
    assert found.look([]) == []
    assert found.scores([]).shape == (0,)


def test_dropout_changes_scores(table: LamTable, rows: np.ndarray) -> None:
    net = small_gazelstm()
    with_dropout, without = (
        one.scores(clips_of(table, rows, one))
        for one in (scorer(net), scorer(net, dropout=TemporalDropout()))
    )
    assert np.abs(with_dropout - without).max() > 1e-4


def test_mixed_precision_changes_scores_by_little(table: LamTable, rows: np.ndarray) -> None:
    net = small_gazepose(split=SPLIT_DEG)
    full = scorer(net)
    mixed = FrameScorer(full.module, full.recipe, "bf16-mixed")
    scores, other = (one.scores(clips_of(table, rows, one)) for one in (full, mixed))
    assert 0 < np.abs(scores - other).max() < 0.02


POINTS = np.array([[0.5, 0.5, 1], [0.7, 0.4, 1], [0.3, 0.4, 1], [0.6, 0.8, 1], [0.4, 0.8, 1]])


def test_a_still_is_a_clip_that_stands_still() -> None:
    net = small_gazepose(split=SPLIT_DEG)
    images = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    faces = [
        PreparedFace(b"", 0.0, POINTS, np.array([10.0, -20, 3])),
        PreparedFace(b"", 0.0, None, None),
    ]
    found = scorer(net)
    looks = found.look(list(images))
    stills = [still(*both) for both in zip(looks, faces, strict=True)]
    offsets = (POINTS[:, :2] - POINTS[1:3, :2].mean(axis=0)).T.reshape(10)
    landmarks = np.zeros((2, 15))
    landmarks[0] = [*offsets, *POINTS[:, 2]]
    batch: Any = {
        "clip": torch.from_numpy(images).permute(0, 3, 1, 2)[:, None].expand(-1, 7, -1, -1, -1),
        "head_bins": torch.tensor([[2, 4, 0], [18, 18, 18]]),
        "landmarks": torch.from_numpy(landmarks).float(),
    }
    with torch.inference_mode():
        expected = small_module(net).scores(batch).numpy()
    np.testing.assert_allclose(found.scores(stills), expected, atol=1e-5)


def test_angles_beyond_the_table_are_counted() -> None:
    asked, other = scorer(small_gazepose(split=SPLIT_DEG)), scorer(small_gazelstm())
    look = asked.look([np.zeros((SIZE, SIZE, 3), np.uint8)])[0]
    poses = [np.array([0.0, 99, 0]), None, np.array([-120.0, 99, 0])]
    clips = [still(look, PreparedFace(b"", 0.0, None, pose)) for pose in poses]
    assert asked.num_beyond(clips) == 2
    assert other.num_beyond(clips) == 0
