"""``gazepose.Predictor``."""

from typing import ClassVar

from common.prediction.run_predictor import RunPredictor
from gazepose.prediction.judged_face import JudgedFace


class Predictor(RunPredictor[JudgedFace]):
    """Says which faces of photos and videos look at the camera, by a run of GazePose or GazeLSTM.

    ``Predictor("runs/NAME")("party.mp4")`` is a table: frame, time_s, track_id, bbox_xyxy_px,
    score, is_looking, head pose in degrees, five points, sharpness, is_interpolated.
    """

    line: ClassVar[str] = "eye_contact"
