"""Everything preprocessing and prediction want to know about the faces in an image."""

from dataclasses import dataclass

from common.arrays import Float, Image
from common.faces.detection import Face, FaceDetector
from common.faces.eye_landmarks import eye_landmarks_from_mesh
from common.faces.head_pose import head_pose_from_mesh
from common.faces.mediapipe.mesh import FaceMesh


@dataclass(frozen=True)
class FaceObservation:
    """A face with its landmarks and head pose.

    Attributes:
        bbox_xyxy_px: (4,) the detector's box in image pixels.
        confidence: the detector's score in [0, 1].
        mesh: (478, 3) refined face mesh, in image pixels.
        eye_landmarks: (112,) in OpenFace's order, in image pixels.
        head_pose: (3,) [pitch, yaw, roll] in radians, viewer frame.
        reprojection_error: misfit of the head pose's template over the face's size.
    """

    bbox_xyxy_px: Float
    confidence: float
    mesh: Float
    eye_landmarks: Float
    head_pose: Float
    reprojection_error: float


class FaceAnalyzer:
    """Detector, mesh, eye landmarks and head pose, one after the other.

    Picklable: a spawned worker that receives it builds its own graphs on first use.
    """

    def __init__(self, detector: FaceDetector, mesh: FaceMesh) -> None:
        self._detector = detector
        self._mesh = mesh

    @property
    def detector_name(self) -> str:
        """Return what finds the faces."""
        return self._detector.name

    def detect(self, image: Image) -> list[Face]:
        """Return the faces in an image (H, W, 3) uint8 RGB, best first."""
        return self._detector.detect(image)

    def analyze(self, image: Image, camera_matrix: Float | None = None) -> list[FaceObservation]:
        """Return the faces in an image that have a mesh, best first.

        Args:
            image: (H, W, 3) uint8 RGB.
            camera_matrix: (3, 3) intrinsics in pixels of `image` if known.
        """
        found = ((face, self.mesh(image, face.bbox_xyxy_px)) for face in self.detect(image))
        return [observed(face, mesh, camera_matrix) for face, mesh in found if mesh is not None]

    def mesh(self, image: Image, bbox_xyxy_px: Float) -> Float | None:
        """Return the mesh (478, 3) of the face in a box, as `FaceMesh.landmarks`."""
        return self._mesh.landmarks(image, bbox_xyxy_px)


def observed(face: Face, mesh: Float, camera_matrix: Float | None = None) -> FaceObservation:
    """Return a face with what its mesh says."""
    fit = head_pose_from_mesh(mesh, camera_matrix)
    return FaceObservation(
        bbox_xyxy_px=face.bbox_xyxy_px,
        confidence=face.confidence,
        mesh=mesh,
        eye_landmarks=eye_landmarks_from_mesh(mesh),
        head_pose=fit.head_pose,
        reprojection_error=fit.reprojection_error,
    )
