"""Eye contact in photos and videos: the same road as in preprocessing and validation."""

import copy
import logging
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from builders.coloured_faces import GREEN, RED, frame_of, square_settings, write_faces_video
from builders.small_lam import write_small_lam
from builders.small_nets import small_gazelstm, small_gazepose, small_module

from common.faces.tracking import TrackingSettings
from common.files.sealed import write_table
from common.media.presentation import Shown
from common.media.video import TimedFrame, read_frames
from common.prediction.annotator import AnnotatedFrame
from gazepose.data.dataset import ClipDataset, ClipRecipe, collate_clips
from gazepose.data.face_view import FaceView
from gazepose.data.temporal_dropout import TemporalDropout
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.evaluation.threshold import Threshold
from gazepose.prediction.predictor import VideoPredictor
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.preprocessing.preprocessor import LamPreprocessor
from gazepose.readers.own_videos import VideosReader
from gazepose.store.ranking import fit_gaussian, gaussian_cdf
from gazepose.store.reading import FRAMES_FILE
from gazepose.store.table import LamTable
from gazepose.training.module import EyeContactModule

PLAIN = PreparationSettings(landmarks="none", head_pose="none", size=32)
DROPOUT = {"kind": "gaussian", "threshold": 0.3}
# Every frame searched: then faces are preprocessing's to the last digit.
SEARCHED = {"detect_every": 1}
NUM_FRAMES = 40
LEFTS: dict[int, list[int | None]] = {
    RED: [10 + 2 * i for i in range(8)] + [None] * 2 + [30 + i // 4 for i in range(30)],
    GREEN: [110 - i // 2 for i in range(NUM_FRAMES)],
}


@pytest.fixture(scope="module")
def module() -> EyeContactModule:
    return small_module(small_gazelstm())


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faces_video(tmp_path_factory.mktemp("videos") / "v.mp4", LEFTS)


@pytest.fixture(scope="module")
def own_store(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video as preprocessing stores it."""
    store_dir = tmp_path_factory.mktemp("own") / "store"
    reader = VideosReader(video, analyzer=square_settings())
    LamPreprocessor("v", reader, store_dir, PLAIN, num_workers=0).run()
    return store_dir


def predictor(module: EyeContactModule, **settings: Any) -> VideoPredictor:
    defaults: dict[str, Any] = {
        "analyzer": square_settings(),
        "tracking": TrackingSettings(),
        "preparation": PLAIN,
        "dropout": DROPOUT,
        "smoothing": TrackSmoothing(),
        "image_size": 24,
        "following": SEARCHED,
    }
    return VideoPredictor(module, **(defaults | settings))


def lines_of(frames: Iterable[AnnotatedFrame]) -> list[dict[str, Any]]:
    return [{"frame": frame.number, **record} for frame in frames for record in frame.records]


def records(found: VideoPredictor, video: Path) -> list[dict[str, Any]]:
    return lines_of(found.annotate_video(video))


def scores(lines: Iterable[dict[str, Any]]) -> dict[tuple[str, int], float]:
    return {(line["track_id"], line["frame"]): line["score"] for line in lines}


@pytest.fixture(scope="module")
def ranking_store(own_store: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A training store whose images are the video's own."""
    folder = tmp_path_factory.mktemp("ranking")
    frames = pl.read_parquet(own_store / FRAMES_FILE).with_columns(pl.lit("train").alias("part"))
    write_table(frames, folder / FRAMES_FILE)
    return str(folder)


@pytest.fixture(scope="module")
def frames(module: EyeContactModule, video: Path, ranking_store: str) -> list[AnnotatedFrame]:
    """The video's, as the plain predictor annotates them."""
    return list(predictor(module, trained_store_dir=ranking_store).annotate_video(video))


@pytest.fixture
def raw(frames: list[AnnotatedFrame]) -> dict[tuple[str, int], float]:
    """Their scores."""
    return scores(lines_of(frames))


def test_a_video_is_seen_as_preprocessing_and_validation_see_it(
    module: EyeContactModule, own_store: Path, raw: dict[tuple[str, int], float]
) -> None:
    table = LamTable.read(own_store)
    recipe = ClipRecipe(TemporalDropout(**DROPOUT), None, False, False, False, False, FaceView(24))  # type: ignore[arg-type]
    clips = ClipDataset(table, recipe, "val")
    rows = np.arange(len(table))
    batch = collate_clips([clips[int(row), 0] for row in rows])
    with torch.inference_mode():
        expected = module.eval().scores(batch).numpy()
    named = table.select(rows, ["track_id", "frame"])
    assert raw.keys() == set(named.iter_rows())
    in_order = [raw[key] for key in named.iter_rows()]
    np.testing.assert_allclose(in_order, expected, atol=1e-5)


def test_each_frame_has_its_faces_the_gap_included(frames: list[AnnotatedFrame]) -> None:
    assert [frame.number for frame in frames] == list(range(NUM_FRAMES))
    assert [len(frame.records) for frame in frames] == [2] * NUM_FRAMES
    lines = [line for line in lines_of(frames) if line["is_interpolated"]]
    assert [(line["track_id"], line["frame"]) for line in lines] == [("0", 8), ("0", 9)]


def test_faces_are_drawn_where_they_are(frames: list[AnnotatedFrame], video: Path) -> None:
    originals = dict(read_frames(video))
    for frame in frames:
        changed = (frame.drawn != originals[frame.number]).any(-1)
        for record in frame.records:
            left, top, right, bottom = np.round(record["bbox_xyxy_px"]).astype(int)
            assert changed[top + 10 : bottom - 10, left - 2 : left + 3].any()
            # The label may lie in the upper half, where the image ends above.
            assert not changed[(top + 3 * bottom) // 4, (left + right) // 2]


def test_the_threshold_decides_who_looks(
    module: EyeContactModule, video: Path, raw: dict[tuple[str, int], float], ranking_store: str
) -> None:
    middle = float(np.median(list(raw.values())))
    lines = records(predictor(module, threshold=middle, trained_store_dir=ranking_store), video)
    assert {line["is_looking"] for line in lines} == {True, False}
    assert all(line["is_looking"] == (line["score"] >= middle - 1e-5) for line in lines)
    with pytest.raises(ValueError, match=r"threshold.* 1\.5.* 0 to 1"):
        predictor(module, threshold=1.5)


def test_without_one_given_it_is_the_one_that_validation_chose(
    module: EyeContactModule,
    frames: list[AnnotatedFrame],
    video: Path,
    raw: dict[tuple[str, int], float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    chosen = copy.deepcopy(module)
    chosen.threshold = Threshold(float(np.median(list(raw.values()))), "greatest F1")
    with caplog.at_level(logging.INFO):
        by_choice, _ = predictor(chosen), predictor(module)
    of_chosen, of_none = caplog.messages
    assert f"{chosen.threshold.value:.4f}" in of_chosen
    assert "greatest F1" in of_chosen
    assert "0.5" in of_none
    assert {line["is_looking"] for line in records(by_choice, video)} == {True, False}
    assert all(line["is_looking"] == (line["score"] >= 0.5) for line in lines_of(frames))


def test_scores_are_smoothed_within_their_track(
    module: EyeContactModule, video: Path, raw: dict[tuple[str, int], float], ranking_store: str
) -> None:
    settings = {"smoothing": TrackSmoothing("median", 3), "trained_store_dir": ranking_store}
    smoothed = scores(records(predictor(module, **settings), video))
    for track in ("0", "1"):
        around = [raw[track, frame] for frame in (4, 5, 6)]
        assert smoothed[track, 5] == pytest.approx(np.median(around), abs=1e-5)


def test_a_video_without_faces_has_none(module: EyeContactModule, tmp_path: Path) -> None:
    path = write_faces_video(tmp_path / "v.mp4", {RED: [None] * 6})
    assert [faces for _, faces in predictor(module).predict_video(path)] == [[]] * 6


def test_a_file_that_is_no_video_says_so(module: EyeContactModule, tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"no video")
    with pytest.raises(ValueError, match=r"v\.mp4"):
        next(predictor(module).annotate_video(tmp_path / "v.mp4"))


def test_sharpness_ranks_among_the_training_images(
    module: EyeContactModule, video: Path, own_store: Path, tmp_path: Path
) -> None:
    write_small_lam(tmp_path / "trained")
    trained = pl.read_parquet(tmp_path / "trained" / FRAMES_FILE).filter(pl.col("part") == "train")
    gaussian = fit_gaussian(trained["sharpness"].to_numpy())
    own = pl.read_parquet(own_store / FRAMES_FILE)
    ranked = records(predictor(module, trained_store_dir=str(tmp_path / "trained")), video)
    found = {(line["track_id"], line["frame"]): line["sharpness_p"] for line in ranked}
    expected = gaussian_cdf(own["sharpness"].to_numpy(), *gaussian)
    for key, rank in zip(own.select("track_id", "frame").iter_rows(), expected, strict=True):
        assert found[key] == pytest.approx(rank, abs=1e-4)


def test_without_the_training_store_faces_rank_among_themselves(
    module: EyeContactModule, video: Path, tmp_path: Path
) -> None:
    lines = records(predictor(module, trained_store_dir=str(tmp_path / "gone")), video)
    assert np.mean([line["sharpness_p"] for line in lines]) == pytest.approx(0.5, abs=0.15)


def test_a_photo_is_a_video_that_stands_still(module: EyeContactModule, tmp_path: Path) -> None:
    path = write_faces_video(tmp_path / "v.mp4", {RED: [40] * 9, GREEN: [100] * 9})
    _, image = next(read_frames(path))
    of_photo, drawn = predictor(module).annotate(image)
    of_video = records(predictor(module, dropout=None), path)
    assert [line["bbox_xyxy_px"] for line in of_photo] == [
        line["bbox_xyxy_px"] for line in of_video[8:10]
    ]
    still = [line["score"] for line in of_video if line["frame"] == 4]
    # The video's frames differ by what their coding loses.
    np.testing.assert_allclose([line["score"] for line in of_photo], still, atol=2e-3)
    assert (drawn != image).any()


def test_of_a_photo_the_largest_face_alone_counts_where_that_is_asked_for(
    module: EyeContactModule,
) -> None:
    image = frame_of({RED: 30, GREEN: 100})
    image[40:, :75] = image[:, 50:75] = 0  # the red square, which is found first, is smaller
    (largest,) = predictor(module, following={"largest_only": True}).predict(image)
    assert len(predictor(module).predict(image)) == 2
    np.testing.assert_allclose(largest.bbox_xyxy_px, [100, 20, 140, 60])


def test_a_photo_without_faces_has_none(module: EyeContactModule) -> None:
    assert predictor(module).predict(frame_of({})) == []


def test_a_net_that_asks_for_priors_gets_them_or_unknown_ones(video: Path) -> None:
    found = predictor(small_module(small_gazepose()))
    assert all(0 < line["score"] < 1 for line in records(found, video))
    of_photo, _ = found.annotate(frame_of({RED: 40}))
    assert 0 < of_photo[0]["score"] < 1


@pytest.mark.parametrize("source", ["prior", "prior_or_mesh"])
def test_priors_from_files_are_replaced_by_the_meshs(
    module: EyeContactModule, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    from_files = PreparationSettings(landmarks=source, head_pose=source)
    with caplog.at_level(logging.WARNING):
        found = predictor(module, preparation=from_files)
    assert (found._preparation.landmarks, found._preparation.head_pose) == ("mesh", "mesh")
    assert "landmarks and head_pose" in caplog.text


def test_prediction_draws_no_random_numbers(
    module: EyeContactModule, video: Path, raw: dict[tuple[str, int], float], ranking_store: str
) -> None:
    assert scores(records(predictor(module, trained_store_dir=ranking_store), video)) == raw


def test_memory_holds_some_frames_however_long_the_video(module: EyeContactModule) -> None:
    alive: set[int] = set()
    most = 0

    def long_video() -> Iterator[TimedFrame]:
        nonlocal most
        for number in range(150):
            image = frame_of({RED: 40 + number % 3})
            alive.add(number)
            weakref.finalize(image, alive.discard, number)
            most = max(most, len(alive))
            yield TimedFrame(number, image, Shown(number / 30, 1 / 30))

    numbers = []
    for frame, faces in predictor(module).predict_frames(long_video()):
        numbers.append(frame.number)
        assert len(faces) == 1
    assert numbers == list(range(150))
    # Settling 13, clips 3, a block 8, and those on their way between three threads.
    assert most < 50


def test_a_track_counts_from_where_it_has_enough_detections(module: EyeContactModule) -> None:
    video = [
        TimedFrame(number, frame_of({RED: 40} if number in (0, 1, 2, 3) else {}), Shown(0, 0))
        for number in range(30)
    ]
    found = predictor(module).predict_frames(video)
    assert [len(faces) for _, faces in found] == [0] * 30
    few = predictor(module, tracking=TrackingSettings(min_length=4)).predict_frames(video)
    assert [len(faces) for _, faces in few] == [1] * 4 + [0] * 26


def test_a_live_video_is_judged_by_what_was_seen_so_far(module: EyeContactModule) -> None:
    given: list[int] = []

    def camera() -> Iterator[TimedFrame]:
        for number in range(20):
            given.append(number)
            yield TimedFrame(number, frame_of({RED: 40}), Shown(0, 0))

    live = predictor(module, following={"is_live": True})
    found = live.judge(live.follower.follow(camera()))
    for frame, faces in found:
        assert frame.number == given[-1]
        assert len(faces) == (frame.number >= TrackingSettings().min_length - 1)
        assert all(face.record()["score"] is not None for face in faces)
