"""Do the labels' signs agree with the eyes in the images?

What +H and +V of ColumbiaGaze mean is inferred from other people's code. The images themselves
settle it: the iris moves in the eye the way the person looks, the eye on the far side of a turned
head looks narrower, and the eyes' line tilts with the head.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common.arrays import Array, Float

_MIN_SAMPLES = 20
_MIN_CORRELATION = 0.3
_MAX_HEAD_ANGLE_RAD = np.deg2rad(2.5)
# OpenFace's points of one eye: iris ring, corner at the image's left, corner at its right.
_IRIS, _LEFT_CORNER, _RIGHT_CORNER = slice(0, 8), 8, 14


@dataclass(frozen=True)
class SignCheck:
    """How a label goes along with what the landmarks show.

    Attributes:
        label: ``gaze yaw``, ``gaze pitch``, ``head yaw`` or ``head roll``.
        correlation: Pearson's, NaN if one of the two does not vary or there are no samples.
        num_samples: how many it was taken over.
    """

    label: str
    correlation: float
    num_samples: int

    @property
    def is_conclusive(self) -> bool:
        """Return whether there are enough samples and a clear correlation."""
        return self.num_samples >= _MIN_SAMPLES and abs(self.correlation) >= _MIN_CORRELATION

    @property
    def is_flipped(self) -> bool:
        """Return whether the label has the wrong sign."""
        return self.is_conclusive and self.correlation < 0

    @property
    def message(self) -> str:
        """Return the finding as a sentence for the report."""
        if self.num_samples < _MIN_SAMPLES:
            return (
                f"{self.label} could not be checked: {self.num_samples} images serve for it, "
                f"{_MIN_SAMPLES} are needed"
            )
        figures = f"correlation {self.correlation:+.2f} over {self.num_samples} images"
        if self.is_flipped:
            return f"{self.label} has the wrong sign: the eyes say the opposite ({figures})"
        if self.is_conclusive:
            return f"{self.label} agrees with the eyes ({figures})"
        return f"{self.label} could not be checked ({figures})"


def check_label_signs(landmarks: Float, gaze: Float, head_pose: Float) -> list[SignCheck]:
    """Correlate labels with eye landmarks.

    Gaze is checked against the iris centre's offset from the middle of the eye's corners, in eye
    widths, over the images of a head that faces the camera within 2.5 degrees of yaw (P = 0 in
    ColumbiaGaze). Head yaw is checked against the ratio of the eyes' widths, head roll against
    the line through the eyes. The caller warns of those with `SignCheck.is_flipped`.

    Args:
        landmarks: (N, 112) px, in OpenFace's order; any scale and place in the image.
        gaze: (N, 2) [yaw, pitch] rad.
        head_pose: (N, 3) [pitch, yaw, roll] rad.

    Returns:
        One check each of gaze yaw, gaze pitch, head yaw and head roll.
    """
    points = np.asarray(landmarks, dtype=np.float64).reshape(-1, 2, 2, 28)
    offset = _iris_offset(points)
    faces_camera = np.abs(head_pose[:, 1]) <= _MAX_HEAD_ANGLE_RAD
    widths = np.linalg.norm(_eye_axis(points), axis=1)
    # The subject's left eye, at the image's right, is foreshortened by a turn to the right.
    narrowing = np.log(widths[:, 0] / widths[:, 1])
    across = np.diff(points.mean(axis=3), axis=2)[..., 0]
    tilt = np.arctan2(-across[:, 1], across[:, 0])
    return [
        _sign_check("gaze yaw", gaze[faces_camera, 0], offset[faces_camera, 0]),
        # Image y points down.
        _sign_check("gaze pitch", gaze[faces_camera, 1], -offset[faces_camera, 1]),
        _sign_check("head yaw", head_pose[:, 1], narrowing),
        _sign_check("head roll", head_pose[:, 2], tilt),
    ]


def _eye_axis(points: Float) -> Float:
    """Return (N, xy, eye): from the corner at the image's left to the one at its right."""
    return points[..., _RIGHT_CORNER] - points[..., _LEFT_CORNER]


def _iris_offset(points: Float) -> Float:
    """Return (N, xy): iris centre from the corners' middle, in eye widths, mean of both eyes."""
    middle = (points[..., _LEFT_CORNER] + points[..., _RIGHT_CORNER]) / 2
    width = np.linalg.norm(_eye_axis(points), axis=1, keepdims=True)
    return ((points[..., _IRIS].mean(axis=3) - middle) / width).mean(axis=2)


def _sign_check(label: str, values: Array, evidence: npt.NDArray[np.float64]) -> SignCheck:
    usable = np.isfinite(values) & np.isfinite(evidence)
    values, evidence = values[usable], evidence[usable]
    varies = len(values) > 1 and np.ptp(values) > 0 and np.ptp(evidence) > 0
    correlation = float(np.corrcoef(values, evidence)[0, 1]) if varies else float("nan")
    return SignCheck(label, correlation, len(values))
