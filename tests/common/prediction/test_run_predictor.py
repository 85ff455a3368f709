"""Runs as library functions and both at once by command, on a drawn face that moves."""

import gc
import re
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import small_lam_training, small_store, small_training

import flame
import gazepose
from common.live.command import live_annotator, live_config
from common.live.session import Session
from common.media.image_codec import write_image
from common.media.video import read_frames, read_timed_frames
from common.media.video_writer import write_video
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.portraits import render_portrait

NUM_FRAMES, SIDE = 16, 150
AT_ONCE = {"following": {"is_live": True}}


@cache
def portrait() -> np.ndarray:
    return render_portrait(make_identity(0), np.random.default_rng(4), size_px=SIDE).image


def picture(shift: int = 0) -> np.ndarray:
    image = np.full((240, 320, 3), (120, 135, 150), np.uint8)
    image[40 : 40 + SIDE, 20 + shift : 20 + shift + SIDE] = portrait()
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each line, a photo, and a video whose first frames are empty."""
    folder = tmp_path_factory.mktemp("library")
    small_store.write_small_store(folder / "gaze_store")
    quick = ["trainer.max_epochs=1", "callbacks.pictures=null"]
    small_training.train_here(folder / "gaze_store", folder / "gaze", *quick)
    small_lam_training.write_store(folder / "lam_store")
    small_lam_training.train_here("gazelstm", folder / "lam_store", folder / "contact", *quick)
    write_image(folder / "photo.jpg", picture(), 95)
    empty = np.full((240, 320, 3), (120, 135, 150), np.uint8)
    pictures = [empty] * 3 + [picture(3 * i) for i in range(NUM_FRAMES - 3)]
    write_video(folder / "party.mp4", pictures, 25.0)
    return folder


@pytest.fixture(scope="module")
def of_video(folder: Path) -> pl.DataFrame:
    """Contact in the video."""
    return gazepose.Predictor(folder / "contact")(folder / "party.mp4")


def test_a_videos_table_has_a_row_a_face_and_one_for_a_frame_without(
    of_video: pl.DataFrame,
) -> None:
    assert of_video["frame"].to_list() == list(range(NUM_FRAMES))
    assert of_video["time_s"].to_list() == [i / 25 for i in range(NUM_FRAMES)]
    assert of_video["track_id"].to_list() == [None] * 3 + ["0"] * (NUM_FRAMES - 3)
    assert of_video["score"].is_null().to_list() == [True] * 3 + [False] * (NUM_FRAMES - 3)
    lefts = of_video["bbox_xyxy_px"].arr.get(0).to_numpy()[3:]
    np.testing.assert_allclose(np.diff(lefts).mean(), 3, atol=0.5)


def test_arrays_are_a_video_too_and_have_no_times(folder: Path, of_video: pl.DataFrame) -> None:
    frames = np.stack([image for _, image in read_frames(folder / "party.mp4")])
    found = gazepose.Predictor(str(folder / "contact"))(frames)
    assert found["time_s"].null_count() == NUM_FRAMES
    assert found.drop("time_s").equals(of_video.drop("time_s"))


def test_a_stream_gives_each_frames_faces(folder: Path, of_video: pl.DataFrame) -> None:
    predictor = gazepose.Predictor(folder / "contact")
    found = list(predictor.stream(read_timed_frames(folder / "party.mp4")))
    assert [len(faces) for faces in found] == [0] * 3 + [1] * (NUM_FRAMES - 3)
    scores = [round(face.score or 0, 5) for faces in found for face in faces]
    assert scores == of_video["score"].drop_nulls().to_list()


def test_a_live_stream_answers_before_it_asks_for_the_next_frame(folder: Path) -> None:
    given = 0

    def camera() -> Any:
        nonlocal given
        for shift in range(8):
            given += 1
            yield picture(3 * shift)

    live = gazepose.Predictor(folder / "contact", **AT_ONCE)
    answers = [(len(faces), given) for faces in live.stream(camera())]
    # A track counts from its fifth detection on.
    assert answers == [(int(number > 4), number) for number in range(1, 9)]


def test_a_photo_has_a_row_a_face_in_degrees(folder: Path) -> None:
    predictor = flame.Predictor(folder / "gaze")
    of_path = predictor(folder / "photo.jpg")
    assert of_path.height == 1
    assert abs(of_path["gaze_yaw_deg"][0]) < 90
    empty = predictor(np.zeros((240, 320, 3), np.uint8))
    assert empty.height == 0
    assert empty.schema == of_path.schema


def test_a_run_of_the_other_line_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"gaze is of flame, about gaze_angle.*eye_contact"):
        gazepose.Predictor(folder / "gaze")


def test_what_is_no_picture_is_refused(folder: Path) -> None:
    predictor = flame.Predictor(folder / "gaze")
    with pytest.raises(ValueError, match=r"\(4, 5\) of float64.*uint8"):
        predictor([np.zeros((4, 5))])
    with pytest.raises(ValueError, match=r"no argument threshold"):
        flame.Predictor(folder / "gaze", threshold=0.5)


def test_the_readmes_lines_do_what_they_say(folder: Path) -> None:
    page = (small_training.REPO_DIR / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 1
    typed = blocks[0]
    for told, there in (
        ("runs/GAZE", "gaze"),
        ("runs/CONTACT", "contact"),
        ("party.mp4", "party.mp4"),
        ("photo.jpg", "photo.jpg"),
    ):
        assert f'"{told}"' in typed
        typed = typed.replace(f'"{told}"', f'"{folder / there}"')
    names: dict[str, Any] = {}
    exec(typed, names)
    assert names["contact"].height == NUM_FRAMES
    assert names["gaze"].height == 1


@pytest.fixture(scope="module")
def both(folder: Path) -> Path:
    """What the command leaves of both runs."""
    said = small_lam_training.predict_here(
        *(f"run={folder / 'gaze'}", f"contact_run={folder / 'contact'}", "format=parquet"),
        f"source={folder / 'party.mp4'}",
    )
    out = folder / "gaze" / "predict" / "party_contact-contact"
    assert said.endswith(
        f"1 face tracks in {NUM_FRAMES} frames of 1 videos (1 with faces) -> {out}"
    )
    return out


def test_both_questions_are_answered_in_one_table(both: Path, of_video: pl.DataFrame) -> None:
    table = pl.read_parquet(both / "party_faces.parquet")
    for column in ("frame", "time_s", "track_id", "score", "bbox_xyxy_px", "head_yaw_deg"):
        assert table[column].equals(of_video[column]), column
    assert table["gaze_yaw_deg"].is_not_null().to_list() == [False] * 3 + [True] * 13
    assert {"gaze_pitch_deg", "head_pitch_deg", "is_looking"} <= set(table.columns)


def test_both_leave_one_drawing_and_one_table_of_tracks(both: Path) -> None:
    assert sorted(path.name for path in both.iterdir()) == [
        *("party.html", "party.mp4", "party_boris.tsv", "party_elan.tsv"),
        *("party_faces.parquet", "party_tracks.csv"),
    ]
    (row,) = pl.read_csv(both / "party_tracks.csv").rows(named=True)
    assert (row["first_frame"], row["last_frame"]) == (3, NUM_FRAMES - 1)
    assert row["looking_share"] is not None


def test_both_of_a_photo_are_joined_by_their_boxes(folder: Path) -> None:
    small_lam_training.predict_here(
        *(f"run={folder / 'gaze'}", f"contact_run={folder / 'contact'}", "format=csv"),
        *(f"source={folder / 'photo.jpg'}", f"output_dir={folder / 'photo_out'}"),
    )
    (row,) = pl.read_csv(folder / "photo_out" / "faces.csv").rows(named=True)
    assert 0 < row["score"] < 1
    assert abs(row["gaze_yaw_deg"]) < 90
    assert row["bbox_xyxy_px_0"] > 0


def test_both_live_answer_each_frame_at_once_and_keep_none(folder: Path) -> None:
    typed = [f"run={folder / 'gaze'}", f"contact_run={folder / 'contact'}"]
    title, annotator = live_annotator(live_config(typed))
    assert title == "gaze and contact"
    session, frames = Session(annotator), []
    for shift in range(40):
        image = picture(3 * abs(shift % 30 - 15))
        faces, drawn = session.answer(image)
        frames.append(weakref.ref(image))
    (face,) = faces
    assert {"is_looking", "gaze_yaw_deg"} <= set(face.record())
    assert (drawn != image).any()
    del image
    gc.collect()
    assert sum(frame() is not None for frame in frames) <= 1


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["run={contact}", "contact_run={gaze}"], "a run of gaze and a run of eye contact"),
        (["run={gaze}", "contact_run={gaze}"], "a run of gaze and a run of eye contact"),
        (["run={gaze}", "contact_run={contact}", "split=test"], r"contact_run=.*split="),
        (["run={gaze}", "trainer.precision=16-mixed"], "16-mixed.*32-true or bf16-mixed"),
    ],
)
def test_what_does_not_go_together_is_refused(folder: Path, typed: list[str], message: str) -> None:
    places = {"gaze": folder / "gaze", "contact": folder / "contact"}
    asked = [word.format(**places) for word in typed]
    if "split=test" not in asked:
        asked.append(f"source={folder / 'photo.jpg'}")
    with pytest.raises(ValueError, match=message):
        small_lam_training.predict_here(*asked)
