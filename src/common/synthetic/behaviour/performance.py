"""One person's part in a video: where head and eyes are in every frame, and what they look at."""

from dataclasses import dataclass

import numpy as np

from common.arrays import Bools, Float, Ints
from common.geometry import (
    CAMERA_TO_VIEWER,
    gaze_angles,
    gaze_vector,
    head_pose_from_rotation,
    rotation_from_head_pose,
)
from common.synthetic.behaviour.attention import Attention
from common.synthetic.behaviour.camera_path import CameraPath
from common.synthetic.behaviour.motion import smooth_noise
from common.synthetic.people.head_shape import eyeball_depth_cm
from common.synthetic.people.identity import Traits
from common.synthetic.rendering.placement import FACE_TO_VIEWER, limit_gaze, project

# Heads are never still: pitch, yaw, roll.
WANDER_DEG, WANDER_TAU_FRAMES = np.array([3.0, 4.0, 7.0]), 14.0
# Eyes that are shut farther than this see nothing.
SHUT = 0.5
# The face reaches from the middle of the forehead, y in face axes, to the chin.
FOREHEAD_Y_CM = -6.0
# Rings around the face: depth f, and half width and half height as parts of the face's.
RINGS = ((2.5, 0.97, 0.85), (5.5, 0.85, 0.95), (8.5, 0.55, 0.98))
POINTS_PER_RING = 16


@dataclass(frozen=True)
class Performance:
    """What a person does over N frames, in camera axes.

    Attributes:
        traits: who.
        position_cm: (N, 3) middle of the head.
        head_pose: (N, 3) [pitch, yaw, roll], radians, viewer frame.
        gaze: (N, 2) [yaw, pitch] as the eyes reach it, radians, viewer frame.
        closure: (N,) 0 open .. 1 shut.
        gaze_error_deg: (N,) angle between the gaze and the way from between the eyes to the camera.
        head_error_deg: (N,) the same of the direction in which the face points.
        target: (N,) what is looked at, see `attention.Target`.
        boxes_xyxy_px: (N, 4) tight box of the face, not cut at the image's border.
    """

    traits: Traits
    position_cm: Float
    head_pose: Float
    gaze: Float
    closure: Float
    gaze_error_deg: Float
    head_error_deg: Float
    target: Ints
    boxes_xyxy_px: Float

    def is_looking(self, angle_deg: float) -> Bools:
        """Return (N,) whether open eyes look within an angle of the camera."""
        is_looking: Bools = (self.gaze_error_deg <= angle_deg) & (self.closure < SHUT)
        return is_looking


def perform(
    rng: np.random.Generator,
    traits: Traits,
    attention: Attention,
    closure: Float,
    place_cm: Float,
    camera: CameraPath,
) -> Performance:
    """Turn what somebody attends to into poses before a moving camera.

    `closure` (N,) is of the eyes, `place_cm` (N, 3) the middle of the head in world axes; the
    random numbers are how the head wanders.
    """
    to_camera = _viewer_to_camera(camera)
    position_cm = camera.see(place_cm)
    head = _head_rotation(rng, attention, place_cm, camera)
    head_seen = np.einsum("nij,njk->nik", to_camera, head)
    eyes_cm = position_cm + _eyes_in_camera_cm(traits, head_seen)
    to_lens = -eyes_cm @ CAMERA_TO_VIEWER
    head_pose = head_pose_from_rotation(head_seen)
    gaze = _reached_gaze(attention, to_lens, to_camera, head_pose)
    return Performance(
        traits=traits,
        position_cm=position_cm,
        head_pose=head_pose,
        gaze=gaze,
        closure=closure,
        gaze_error_deg=_angle_deg(gaze_vector(gaze), to_lens),
        head_error_deg=_angle_deg(head_seen[..., 2], to_lens),
        target=attention.target,
        boxes_xyxy_px=_boxes_xyxy_px(traits, head_pose, position_cm, camera.matrix),
    )


def _viewer_to_camera(camera: CameraPath) -> Float:
    """Return (N, 3, 3): the viewer frame of the resting camera to that of the moving one."""
    flip = CAMERA_TO_VIEWER
    return np.einsum("ij,nkj,kl->nil", flip, camera.to_world, flip.T)


def _head_rotation(
    rng: np.random.Generator, attention: Attention, place_cm: Float, camera: CameraPath
) -> Float:
    """Return the head's rotation (N, 3, 3) in the resting camera's viewer frame."""
    to_camera = gaze_angles((camera.position_cm - place_cm) @ CAMERA_TO_VIEWER)
    direction = to_camera + np.radians(attention.head_deg)
    wander = np.radians(smooth_noise(rng, len(place_cm), WANDER_DEG, WANDER_TAU_FRAMES, 3))
    # A head's pitch counts downwards, a direction's upwards.
    pitch, yaw, roll = (
        wander[:, 0] - direction[:, 1],
        wander[:, 1] + direction[:, 0],
        wander[:, 2],
    )
    return rotation_from_head_pose(np.stack([pitch, yaw, roll], 1))


def _eyes_in_camera_cm(traits: Traits, head_seen: Float) -> Float:
    """Return the way (N, 3) from the head's middle to between the eyes, camera axes."""
    between_eyes = FACE_TO_VIEWER @ np.array([0.0, 0.0, eyeball_depth_cm(traits)])
    return head_seen @ between_eyes @ CAMERA_TO_VIEWER


def _reached_gaze(
    attention: Attention, to_lens: Float, to_camera: Float, head_pose: Float
) -> Float:
    """Return the gaze (N, 2) in the camera's viewer frame, as far as eyes turn."""
    at_rest = np.einsum("nji,nj->ni", to_camera, to_lens)
    wanted = gaze_vector(gaze_angles(at_rest) + np.radians(attention.gaze_deg))
    seen = gaze_angles(np.einsum("nij,nj->ni", to_camera, wanted))
    return np.stack([limit_gaze(*pair) for pair in zip(seen, head_pose, strict=True)])


def _angle_deg(a: Float, b: Float) -> Float:
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(cross, (a * b).sum(-1)))


def _outline_cm(traits: Traits) -> Float:
    """Return points (n, 3) around the face in face axes."""
    skull = traits.skull
    chin_y_cm = skull.half_height_cm * skull.chin_stretch
    middle_y_cm, half_cm = (chin_y_cm + FOREHEAD_Y_CM) / 2, (chin_y_cm - FOREHEAD_Y_CM) / 2
    angle = np.arange(POINTS_PER_RING) / POINTS_PER_RING * 2 * np.pi
    rings = [
        np.stack(
            [
                wide * skull.half_width_cm * np.cos(angle),
                middle_y_cm + tall * half_cm * np.sin(angle),
                np.full(POINTS_PER_RING, depth_cm),
            ],
            1,
        )
        for depth_cm, wide, tall in RINGS
    ]
    nose_tip = [[0.0, traits.nose.tip_y_cm, 9.5 + traits.nose.height_cm]]
    return np.concatenate([*rings, nose_tip])


def _boxes_xyxy_px(
    traits: Traits, head_pose: Float, position_cm: Float, camera_matrix: Float
) -> Float:
    """Return the face's boxes (N, 4) in pixels; they may reach beyond the image.

    `head_pose` (N, 3) is [pitch, yaw, roll] in radians, viewer frame; `position_cm` (N, 3) the
    middle of the head in camera axes.
    """
    axes = CAMERA_TO_VIEWER.T @ rotation_from_head_pose(head_pose) @ FACE_TO_VIEWER
    points_cm = np.einsum("nij,kj->nki", axes, _outline_cm(traits)) + position_cm[:, None]
    pixels = project(camera_matrix, points_cm)
    return np.concatenate([pixels.min(1), pixels.max(1)], 1)
