"""What a person does in a picture, and the labels that follow from it without drawing."""

from dataclasses import dataclass

import numpy as np

from common.arrays import Float
from common.synthetic.people.head import Identity
from common.synthetic.rendering.eyes import SIDES, EyeState, locate_landmarks
from common.synthetic.rendering.placement import (
    MAX_EYE_IN_HEAD_RAD,
    HeadPlacement,
    eye_in_head_rad,
    limit_gaze,
)

NEAREST_HEAD_CM = 25.0


@dataclass(frozen=True)
class FaceLabels:
    """What is known of a rendered face.

    Attributes:
        gaze: (2,) [yaw, pitch] of both eyes as drawn, radians, viewer frame.
        head_pose: (3,) [pitch, yaw, roll], radians, viewer frame.
        is_gaze_limited: whether the asked gaze was out of the eyes' reach and was drawn nearer.
        eye_landmarks: (112,) x0..x55, y0..y55 in pixels, OpenFace's order, as if nothing hid them.
        eye_landmarks_3d: (56, 3) the same points in camera axes, cm.
        eye_centres: (2, 3) eyeball centres in camera axes, cm, image-left eye first.
        camera_matrix: (3, 3) intrinsics in pixels.
    """

    gaze: Float
    head_pose: Float
    is_gaze_limited: bool
    eye_landmarks: Float
    eye_landmarks_3d: Float
    eye_centres: Float
    camera_matrix: Float


@dataclass(frozen=True)
class FacePose:
    """A person's head and eyes at one moment.

    Attributes:
        placement: where the head is.
        head_pose: (3,) [pitch, yaw, roll], radians, viewer frame.
        gaze: (2,) [yaw, pitch] within the eyes' reach, radians, viewer frame.
        is_gaze_limited: whether `gaze` is not the one that was asked for.
        eyes: both eyes, the one left in the image first.
    """

    placement: HeadPlacement
    head_pose: Float
    gaze: Float
    is_gaze_limited: bool
    eyes: tuple[EyeState, EyeState]

    @classmethod
    def of(
        cls,
        identity: Identity,
        *,
        head_pose: Float,
        gaze: Float,
        position_cm: Float,
        pupil_radius_cm: float = 0.24,
        closure: tuple[float, float] = (0.0, 0.0),
        limit_eye_turn: bool = False,
    ) -> "FacePose":
        """Build the pose from the suite's angles.

        Args:
            identity: who.
            head_pose: (3,) [pitch, yaw, roll], radians, viewer frame.
            gaze: (2,) [yaw, pitch], radians, viewer frame: relative to the camera, not the head.
            position_cm: (3,) middle of the head in camera axes (x right, y down, z away), cm.
            pupil_radius_cm: radius of the pupils.
            closure: 0 open .. 1 shut, image-left eye first.
            limit_eye_turn: take a gaze that is out of the eyes' reach as far as they go (and
                report it) instead of raising.

        Raises:
            ValueError: the head is too near, or the eyes cannot turn as far as `gaze` asks.
        """
        head_pose, wanted = np.asarray(head_pose, float), np.asarray(gaze, float)
        if position_cm[2] < NEAREST_HEAD_CM:
            raise ValueError(
                f"position_cm puts the head {position_cm[2]:.1f} cm before the camera; "
                f"expected at least {NEAREST_HEAD_CM:.0f} cm"
            )
        is_out_of_reach = eye_in_head_rad(wanted, head_pose) > MAX_EYE_IN_HEAD_RAD
        if is_out_of_reach and not limit_eye_turn:
            turn_deg = np.degrees(eye_in_head_rad(wanted, head_pose))
            raise ValueError(
                f"the gaze is {turn_deg:.1f} degrees from where the face points; eyes reach "
                f"{np.degrees(MAX_EYE_IN_HEAD_RAD):.0f}. Turn the head too, or pass "
                "limit_eye_turn=True"
            )
        reached = limit_gaze(wanted, head_pose) if is_out_of_reach else wanted
        placement = HeadPlacement.from_head_pose(head_pose, position_cm)
        direction = placement.gaze_to_face(reached)
        left, right = (
            EyeState(
                side,
                identity.eye_centre_cm(side),
                _optical_axis(direction, identity, side),
                pupil_radius_cm,
                shut,
            )
            for side, shut in zip(SIDES, closure, strict=True)
        )
        return cls(placement, head_pose, reached, is_out_of_reach, (left, right))

    def labels(self, identity: Identity, camera_matrix: Float) -> FaceLabels:
        """Return the labels of a picture taken by a camera with these intrinsics."""
        landmarks = locate_landmarks(identity, self.placement, camera_matrix, self.eyes)
        return FaceLabels(
            gaze=self.gaze,
            head_pose=self.head_pose,
            is_gaze_limited=self.is_gaze_limited,
            eye_landmarks=landmarks.pixels,
            eye_landmarks_3d=landmarks.points_cm,
            eye_centres=landmarks.centres_cm,
            camera_matrix=np.asarray(camera_matrix, float),
        )


def _optical_axis(direction: Float, identity: Identity, side: int) -> Float:
    """Return where the iris of an eye points (3,) that looks along `direction`, in face axes."""
    outward, up = identity.traits.eyes.kappa_rad
    # Both angles are a few degrees: a step on the sphere's tangent.
    x, y, f = direction
    turned = direction + np.tan(side * outward) * np.array([f, 0.0, -x])
    turned = turned - np.tan(up) * np.array([0.0, f, -y])
    return turned / np.linalg.norm(turned)
