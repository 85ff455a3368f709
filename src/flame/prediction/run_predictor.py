"""``flame.Predictor``."""

from typing import ClassVar

from common.prediction.run_predictor import RunPredictor
from flame.prediction.face_gaze import FaceGaze


class Predictor(RunPredictor[FaceGaze]):
    """Says where the faces of photos and videos look, by a run of FLAME or one of its variants.

    ``Predictor("runs/NAME")("photo.jpg")`` is a table: bbox_xyxy_px, confidence, gaze yaw and
    pitch of both eyes and of each, head pose, in degrees, eyes_in_frame.
    """

    line: ClassVar[str] = "gaze_angle"
