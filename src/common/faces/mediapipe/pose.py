"""MediaPipe's body pose of the person in an image."""

import numpy as np

from common.arrays import Float, Image
from common.faces.mediapipe.graph import MediaPipeGraph

# Of the three models only this one comes with the package; the others are downloaded.
BUNDLED_COMPLEXITY = 1


class BodyPose:
    """33 landmarks of one person, each image on its own; its graph is built on first use."""

    name = "mediapipe_pose"

    def __init__(self) -> None:
        self._graph = MediaPipeGraph(
            "Pose",
            static_image_mode=True,
            model_complexity=BUNDLED_COMPLEXITY,
            min_detection_confidence=0.1,
        )

    def landmarks(self, image: Image) -> Float | None:
        """Return (33, 4) float64 [x, y, z, visibility] of the person, None if nobody is found.

        x and y are fractions of the image (H, W, 3) uint8 RGB, possibly outside; z is in the unit
        of x, smaller toward the camera; visibility lies in [0, 1].
        """
        found = self._graph.find(image)
        if not found:
            return None
        return np.array([[p.x, p.y, p.z, p.visibility] for p in found[0].landmark])
