"""MediaPipe's body pose of the person in an image."""

from common.arrays import Float, Image
from common.faces.mediapipe.nets import body_pose


class BodyPose:
    """33 landmarks of one person, each image on its own; its graph is built on first use.

    Raises:
        ValueError: If the MediaPipe that is installed has no model for it.
    """

    name = "mediapipe_pose"

    def __init__(self) -> None:
        self._graph = body_pose(min_confidence=0.1)

    def landmarks(self, image: Image) -> Float | None:
        """Return (33, 4) float64 [x, y, z, visibility] of the person, None if nobody is found.

        x and y are fractions of the image (H, W, 3) uint8 RGB, possibly outside; z is in the unit
        of x, smaller toward the camera; visibility lies in [0, 1].
        """
        return next(iter(self._graph.find(image)), None)
