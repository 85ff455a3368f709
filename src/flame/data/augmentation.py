"""What training may do to an eye crop; the original does nothing.

Everything moves together: crop, landmarks, head pose and gaze, so that the label stays true.
"""

from dataclasses import dataclass

import numpy as np

from common.arrays import Float, Image
from common.config.recordable import recordable
from common.faces.cropping import moved
from common.faces.eye_landmarks import mirror_eye_landmarks
from common.geometry import mirror_gaze, mirror_head_pose
from flame.batch import LEFT, NUM_EYE_POINTS, RIGHT

# Of an eye's 28 points; the others are iris and pupil.
_LIDS = np.arange(8, 20)


@dataclass(frozen=True)
class Eye:
    """An eye crop and what is known of it.

    Attributes:
        image: (S, S, 3) uint8 RGB.
        landmarks: (112,) px of the crop.
        head_pose: (3,) [pitch, yaw, roll] in radians.
        gaze: (2,) [yaw, pitch] in radians.
        eye: `flame.batch.RIGHT` or `LEFT`.
    """

    image: Image
    landmarks: Float
    head_pose: Float
    gaze: Float
    eye: int


@recordable
@dataclass(frozen=True)
class EyeAugmentation:
    """Random changes of an eye crop, all off by default.

    Attributes:
        mirror: every other crop becomes its mirror image, which shows the other eye.
        max_shift_px: the crop is moved by up to this, on either axis.
        max_zoom: it is enlarged or shrunk by up to this fraction.
        max_stretch: its width alone is changed by up to this fraction, which hides how far a head
            is turned: that is the head pose's to say.
        max_contrast: contrast and brightness change by up to this fraction; of runs before there
            was `PhotometricAugmentation`.
        landmark_noise_px: standard deviation of what iris, lids and each point are moved by, as
            another source of landmarks would.
        landmark_stretch: standard deviation of the factor, less 1, by which such a source sees an
            eye wider or higher than it is.
        head_pose_noise_rad: standard deviation of an error of the head pose.

    Raises:
        ValueError: If a number is negative, or a fraction is not below 1.
    """

    mirror: bool = False
    max_shift_px: float = 0.0
    max_zoom: float = 0.0
    max_stretch: float = 0.0
    max_contrast: float = 0.0
    landmark_noise_px: float = 0.0
    landmark_stretch: float = 0.0
    head_pose_noise_rad: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "max_shift_px",
            "landmark_noise_px",
            "landmark_stretch",
            "head_pose_noise_rad",
        ):
            if (value := getattr(self, name)) < 0:
                raise ValueError(f"{name} is {value}, expected 0 or more")
        for name in ("max_zoom", "max_stretch", "max_contrast"):
            if not 0 <= (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} is {value}, expected 0 or more, below 1")

    def __call__(self, eye: Eye, generator: np.random.Generator) -> Eye:
        """Return the eye as it might have been photographed, too."""
        # All are drawn whatever is on: switching one leaves the draws of the others.
        is_mirrored = generator.random() < 0.5
        shift_x, shift_y, zoom, contrast, brightness = generator.uniform(-1, 1, 5)
        if self.mirror and is_mirrored:
            eye = mirrored(eye)
        shift_px = self.max_shift_px * np.array([shift_x, shift_y])
        noise, seen_wider = _landmark_noise(generator), generator.standard_normal(2)
        errors = self.head_pose_noise_rad * generator.standard_normal(3)
        stretch = self.max_stretch * generator.uniform(-1, 1)
        scale = (1 + self.max_zoom * zoom) * np.array([1 + stretch, 1])
        image, offset = moved(eye.image, shift_px, scale)
        image = _exposed(image, 1 + self.max_contrast * contrast, self.max_contrast * brightness)
        there = scale[:, None] * eye.landmarks.reshape(2, -1) + offset[:, None]
        landmarks = there.reshape(-1) + self.landmark_noise_px * noise
        landmarks = _stretched(landmarks, self.landmark_stretch * seen_wider)
        head_pose = (eye.head_pose + errors).astype(eye.head_pose.dtype)
        return Eye(image, landmarks, head_pose, eye.gaze, eye.eye)


def mirrored(eye: Eye) -> Eye:
    """Return the mirror image, which shows an eye of the other side."""
    return Eye(
        image=np.ascontiguousarray(eye.image[:, ::-1]),
        landmarks=mirror_eye_landmarks(eye.landmarks, eye.image.shape[1]),
        head_pose=mirror_head_pose(eye.head_pose),
        gaze=mirror_gaze(eye.gaze),
        eye=LEFT if eye.eye == RIGHT else RIGHT,
    )


def _landmark_noise(generator: np.random.Generator) -> Float:
    """Return standard normal errors (112,): of both irises, of both lids, and of each point."""
    iris, lids = generator.standard_normal((2, 2, 1))
    is_lid = np.isin(np.arange(2 * NUM_EYE_POINTS) % NUM_EYE_POINTS, _LIDS)
    together = np.where(is_lid, lids, iris)
    alone = 0.5 * generator.standard_normal((2, 2 * NUM_EYE_POINTS))
    return (together + alone).reshape(-1)


def _stretched(landmarks: Float, parts: Float) -> Float:
    """Return landmarks (112,) of both eyes, each widened and heightened by parts (2,) of itself."""
    eyes = landmarks.reshape(2, 2, NUM_EYE_POINTS)
    offsets = eyes - eyes.mean(axis=2, keepdims=True)
    return (eyes + parts[:, None, None] * offsets).reshape(-1)


def _exposed(image: Image, contrast: float, brightness: float) -> Image:
    """Return the crop with its contrast about its mean changed, and brightened by a fraction."""
    if contrast == 1 and brightness == 0:
        return image
    mean = image.mean()
    levels = (image - mean) * contrast + mean * (1 + brightness)
    return np.clip(levels.round(), 0, 255).astype(np.uint8)
