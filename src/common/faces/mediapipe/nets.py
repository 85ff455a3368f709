"""The nets of whichever MediaPipe is installed, with results of one form.

A detector finds boxes (5,): left, top, right and bottom as fractions of the image, and a score in
[0, 1]. A mesh is (478, 3), x and y as fractions of the image, possibly outside, z in the unit of
x, smaller towards the camera; 468..477 are the irises.
"""

from typing import NamedTuple

from common.faces.mediapipe import solutions, tasks
from common.faces.mediapipe.graph import MediaPipeGraph
from common.faces.mediapipe.model import face_model
from common.faces.mediapipe.release import has_solutions, refuse_without_solutions


class FaceDetection(NamedTuple):
    """Detectors of faces in square images.

    Attributes:
        in_tiles: finds small faces.
        tile_px: input side of it.
        smallest_face: width of the smallest face that it finds, as a fraction of its input.
        in_whole: adds faces that fill an image; None if the other finds them.
    """

    in_tiles: MediaPipeGraph
    tile_px: int
    smallest_face: float
    in_whole: MediaPipeGraph | None


def face_detection(min_confidence: float) -> FaceDetection:
    """Return what finds faces; graphs are built on first use.

    Raises:
        ValueError: If the file of models is needed and cannot be fetched.
    """
    if has_solutions():
        full, short = (
            MediaPipeGraph(solutions.FaceDetection(is_full_range, min_confidence))
            for is_full_range in (True, False)
        )
        # 118 px in a 1920 px frame.
        return FaceDetection(full, 192, 118 / 1920, short)
    face_model()
    short = MediaPipeGraph(tasks.FaceDetection(min_confidence))
    # On a quarter of NITEC's 462 photos of WIDER this finds 89 % of the faces, the solutions' two
    # detectors 80 %; 0.10 finds 79 %, 0.15 93 % with twice the tiles.
    return FaceDetection(short, 128, 0.12, None)


def face_mesh(max_faces: int, min_confidence: float) -> MediaPipeGraph:
    """Return what lays a mesh over the faces of an image, built on first use.

    Raises:
        ValueError: If the file of models is needed and cannot be fetched.
    """
    if has_solutions():
        return MediaPipeGraph(solutions.FaceMesh(max_faces, min_confidence))
    face_model()
    return MediaPipeGraph(tasks.FaceMesh(max_faces, min_confidence))


def body_pose(min_confidence: float) -> MediaPipeGraph:
    """Return what finds the pose of one person, built on first use.

    Raises:
        ValueError: If the release that is installed has no model for it.
    """
    refuse_without_solutions("landmarks=pose", "the pose model")
    return MediaPipeGraph(solutions.BodyPose(min_confidence))
