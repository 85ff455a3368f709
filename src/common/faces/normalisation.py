"""The face as a virtual camera sees it that looks straight at it and is rolled as the head is.

Zhang, Sugano and Bulling, "Revisiting data normalization for appearance-based gaze estimation"
(ETRA 2018). The photo is warped by W = C_n S R C^-1: R turns the camera toward the face's centre
and its x axis parallel to the head's, S brings the face to a fixed distance. Directions are turned
by R alone: S moves the face, it does not change where a person looks.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Float, Image
from common.geometry import (
    CAMERA_TO_VIEWER,
    gaze_angles,
    gaze_vector,
    rotation_from_head_pose,
)

# GazeHub's and ETH-XGaze's virtual camera.
FOCAL_PX = 960.0
DISTANCE_CM = 60.0
SIZE_PX = 224


@dataclass(frozen=True)
class FaceNormalisation:
    """The way from a photo's frame to a face's normalised frame, and back.

    Attributes:
        rotation: (3, 3) of directions, from the camera's to the normalised frame, both in viewer
            axes.
        warp: (3, 3) homography from the photo's pixels to those of the normalised image.
    """

    rotation: Float
    warp: Float

    def image(self, photo: Image) -> Image:
        """Return the normalised face (224, 224, 3) of a photo (H, W, 3), black outside it."""
        return np.asarray(cv2.warpPerspective(photo, self.warp, (SIZE_PX, SIZE_PX)), np.uint8)

    def points(self, points_px: Float) -> Float:
        """Return points (N, 2) of the photo as pixels of the normalised face."""
        moved = np.column_stack([points_px, np.ones(len(points_px))]) @ self.warp.T
        return np.asarray(moved[:, :2] / moved[:, 2:])

    def gaze(self, gaze: Float) -> Float:
        """Return gaze angles (..., 2) of the camera frame in the normalised one."""
        return gaze_angles(gaze_vector(gaze) @ self.rotation.T)

    def gaze_in_camera(self, gaze: Float) -> Float:
        """Return gaze angles (..., 2) of the normalised frame in the camera's."""
        return gaze_angles(gaze_vector(gaze) @ self.rotation)


def virtual_camera(size_px: int = SIZE_PX) -> Float:
    """Return the intrinsics (3, 3) of the camera that sees normalised faces of a size."""
    focal_px, centre_px = FOCAL_PX * size_px / SIZE_PX, size_px / 2
    return np.array([[focal_px, 0, centre_px], [0, focal_px, centre_px], [0, 0, 1]])


def normalise_face(
    face_centre_cm: Float, head_pose: Float, camera_matrix: Float
) -> FaceNormalisation:
    """Return the normalisation of a face.

    Args:
        face_centre_cm: (3,) in OpenCV's camera axes.
        head_pose: (3,) [pitch, yaw, roll] in radians, viewer frame.
        camera_matrix: (3, 3) intrinsics of the photo in pixels.
    """
    distance_cm = np.linalg.norm(face_centre_cm)
    forward = face_centre_cm / distance_cm
    head_x = CAMERA_TO_VIEWER @ rotation_from_head_pose(head_pose)[:, 0]
    down = np.cross(forward, head_x)
    down /= np.linalg.norm(down)
    rotation = np.stack([np.cross(down, forward), down, forward])
    scale = np.diag([1.0, 1.0, DISTANCE_CM / distance_cm])
    warp = virtual_camera() @ scale @ rotation @ np.linalg.inv(camera_matrix)
    return FaceNormalisation(CAMERA_TO_VIEWER @ rotation @ CAMERA_TO_VIEWER, warp)
