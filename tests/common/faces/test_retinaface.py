import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from common.faces.retinaface import RetinaFaceDetector
from common.faces.settings import AnalyzerSettings


class FakeModel:
    """Records what it is given and returns two boxes, the worse one first."""

    def __init__(self, **options):
        self.options = options

    def detect(self, image):
        self.image = image
        boxes = [([10, 10, 30, 30], 0.6), ([-5, 20, 60, 200], 0.9)]
        return [
            SimpleNamespace(bbox=np.array(box, np.float32), confidence=score)
            for box, score in boxes
        ]


def test_a_missing_package_is_named_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "uniface", None)
    with pytest.raises(ValueError, match=r"uniface.*pip install 'gaze-suite\[retinaface\]'"):
        RetinaFaceDetector()


def test_faces_are_sorted_clipped_and_asked_for_in_bgr(monkeypatch):
    monkeypatch.setitem(sys.modules, "uniface", SimpleNamespace(RetinaFace=FakeModel))
    built = AnalyzerSettings("retinaface", min_confidence=0.4).build()._detector
    detector = pickle.loads(pickle.dumps(built))
    image = np.zeros((100, 50, 3), np.uint8)
    image[..., 0] = 255  # red
    faces = detector.detect(image)
    assert [face.confidence for face in faces] == [0.9, 0.6]
    np.testing.assert_allclose(faces[0].bbox_xyxy_px, [0, 19.5, 49, 99])
    assert (detector._model.image[0, 0] == [0, 0, 255]).all()
    model = detector._model
    assert model.options["confidence_threshold"] == 0.4
    assert len(detector.detect(image)) == 2
    assert detector._model is model


def test_weights_that_cannot_be_loaded_are_a_users_error(monkeypatch):
    def fail(**_):
        raise ConnectionError("no route")

    monkeypatch.setitem(sys.modules, "uniface", SimpleNamespace(RetinaFace=fail))
    with pytest.raises(ValueError, match=r"RetinaFace.*no route"):
        RetinaFaceDetector().detect(np.zeros((4, 4, 3), np.uint8))
