"""What is known of a face, as plain values and drawn."""

import json
from typing import Any

import numpy as np
import pytest

from gazepose.prediction.contact_stream import ScoredFace
from gazepose.prediction.judged_face import LOOKING_COLOUR, OTHER_COLOUR, JudgedFace, judged_face
from gazepose.preprocessing.face_image import face_window
from gazepose.preprocessing.preparation import PreparedFace
from gazepose.readers.steady_tracks import SteadyBox

BOX = np.array([40.0, 30.0, 120.0, 110.0])
SHAPE = (160, 200, 3)
POINTS = np.array(
    [[0.5, 0.6, 1], [0.7, 0.4, 1], [0.3, 0.4, 1], [0.6, 0.8, 1], [0.4, 0.8, 1]], np.float64
)


def face(**changes: Any) -> JudgedFace:
    known: dict[str, Any] = {
        "bbox_xyxy_px": BOX,
        "head_pose_deg": np.array([-20.0, 10.0, 0.0]),
        "points": POINTS,
        "score": 0.7,
        "margin": 0.0,
        **changes,
    }
    prepared = PreparedFace(b"", 1.0, known["points"], known["head_pose_deg"])
    box = SteadyBox(0, "3", known["bbox_xyxy_px"], None, False)
    found = ScoredFace(box, prepared, known.get("sharpness_p", 0.25), score=known["score"])
    return judged_face(found, SHAPE, known["margin"], threshold=0.5)


@pytest.mark.parametrize(("score", "is_looking"), [(0.49, False), (0.5, True), (np.nan, None)])
def test_the_threshold_itself_counts_as_looking(score: Any, is_looking: Any) -> None:
    assert face(score=score).is_looking is is_looking
    assert face(score=score).record()["is_looking"] is is_looking


def test_points_lie_in_the_frame_where_the_face_image_had_them() -> None:
    for margin in (0.0, 0.25):
        window = face_window(BOX, SHAPE, margin)
        assert window is not None
        points_px = face(margin=margin).points_px
        np.testing.assert_allclose(window.normalised(points_px), POINTS[:, :2])


def test_head_angles_are_the_viewers_in_degrees() -> None:
    # Hopenet's +yaw turns to the image's left, its +pitch up.
    record = face(head_pose_deg=np.array([-20.0, 0.0, 0.0])).record()
    assert record["head_yaw_deg"] == pytest.approx(20)
    record = face(head_pose_deg=np.array([0.0, 10.0, 0.0])).record()
    assert record["head_pitch_deg"] == pytest.approx(-10)


def test_what_is_unknown_is_null_in_json() -> None:
    unknown = face(
        score=np.nan,
        head_pose_deg=None,
        points=None,
        sharpness_p=np.nan,
    )
    record = json.loads(json.dumps(unknown.record(), allow_nan=False))
    names = ("score", "is_looking", "head_yaw_deg", "sharpness_p")
    assert [record[name] for name in names] == [None] * 4
    assert record["points_px"] == [[None, None]] * 5


@pytest.mark.parametrize(
    ("score", "colour"), [(0.9, LOOKING_COLOUR), (0.1, OTHER_COLOUR), (np.nan, OTHER_COLOUR)]
)
def test_who_looks_is_drawn_in_another_colour(score: Any, colour: tuple[int, ...]) -> None:
    image = np.zeros(SHAPE, np.uint8)
    face(score=score).draw(image)
    colours = {
        other: int((image == other).all(-1).sum()) for other in (LOOKING_COLOUR, OTHER_COLOUR)
    }
    assert max(colours, key=lambda other: colours[other]) == colour


def test_a_face_without_priors_or_outside_the_frame_is_drawn_too() -> None:
    image = np.zeros(SHAPE, np.uint8)
    face(head_pose_deg=None, points=None).draw(image)
    assert image.any()
    face(bbox_xyxy_px=BOX + 500, score=np.nan).draw(image)
