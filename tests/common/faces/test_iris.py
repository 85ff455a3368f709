"""Eye landmarks of pairs of eyes: known eyes by a stand-in, drawn eyes by the model itself."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from builders.fake_iris import install_fake_iris, pair_of_eyes, true_landmarks
from builders.mediapipe_release import install_without_solutions, needs_solutions

from common.faces.eye_landmarks import mirror_eye_landmarks
from common.faces.mediapipe.iris import IrisModel
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.placement import centred_camera
from common.synthetic.rendering.renderer import render_face

PAIR_WIDTH_PX, PAIR_HEIGHT_PX = 300, 140


def test_known_eyes_come_out_in_openfaces_order(monkeypatch: pytest.MonkeyPatch) -> None:
    install_fake_iris(monkeypatch)
    found = IrisModel().eye_landmarks(pair_of_eyes())
    np.testing.assert_allclose(found, true_landmarks(), atol=0.2)


def drawn_pair(gaze_deg: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """An invented person's eyes as ColumbiaGaze's crops show them, and their true landmarks."""
    size_px, distance_cm = 600, 90.0
    rendered = render_face(
        make_identity(3),
        head_pose=np.zeros(3),
        gaze=np.radians(gaze_deg),
        position_cm=np.array([0.0, 0.0, distance_cm]),
        camera_matrix=centred_camera((size_px, size_px), 24.0 * distance_cm),
        image_size=(size_px, size_px),
        rng=np.random.default_rng(0),
    )
    points = rendered.eye_landmarks.reshape(2, 56)
    x0, y0 = (points.mean(axis=1) - [PAIR_WIDTH_PX / 2, PAIR_HEIGHT_PX / 2]).astype(int)
    image = rendered.image[y0 : y0 + PAIR_HEIGHT_PX, x0 : x0 + PAIR_WIDTH_PX]
    return image, (points - [[x0], [y0]]).reshape(112)


@needs_solutions
@pytest.mark.parametrize("gaze_deg", [(0.0, 0.0), (15.0, 0.0), (-15.0, 10.0)])
def test_the_model_finds_drawn_eyes(gaze_deg: tuple[float, float]) -> None:
    pytest.importorskip("ai_edge_litert")
    image, truth = drawn_pair(gaze_deg)
    found = IrisModel().eye_landmarks(image)
    error_px = np.linalg.norm((found - truth).reshape(2, 2, 28), axis=0)
    # Of eyes 150 px apart.
    assert error_px[:, :8].mean() < 4
    assert error_px.mean() < 8
    flipped = IrisModel().eye_landmarks(image[:, ::-1])
    assert np.abs(flipped - mirror_eye_landmarks(found, PAIR_WIDTH_PX)).mean() < 2


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ValueError, match=r"ai-edge-litert.*pip install -e '\.\[iris\]'"):
        IrisModel()


def test_a_mediapipe_without_the_model_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(
        sys.modules, "ai_edge_litert.interpreter", SimpleNamespace(Interpreter=None)
    )
    install_without_solutions(monkeypatch, tmp_path)
    with pytest.raises(ValueError, match=r"landmarks=iris needs the iris model.*Python 3\.11"):
        IrisModel()
