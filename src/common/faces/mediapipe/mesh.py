"""MediaPipe's refined face mesh of one detected face."""

import numpy as np

from common.arrays import Float, Image
from common.faces.cropping import padded_square, shrunk
from common.faces.mediapipe.nets import face_mesh

# Added to every side of the box, as a part of its longer side.
MARGIN = 0.5
# More pixels cost time and, by aliasing, accuracy: the net itself sees 192 x 192.
MAX_CROP_PX = 512


class FaceMesh:
    """478 landmarks of a face, from a square crop around its box.

    One image's result never depends on another's. Its graph is built on first use.
    """

    name = "mediapipe_mesh"

    def __init__(self) -> None:
        # A neighbour may show in the crop: ask for several, keep the one in the box.
        self._graph = face_mesh(max_faces=3, min_confidence=0.5)

    def landmarks(self, image: Image, bbox_xyxy_px: Float) -> Float | None:
        """Return the landmarks of the face in a detector's box (4,) in an image (H, W, 3) RGB.

        Returns:
            (478, 3) float64: x, y in pixels of `image` (possibly outside it), z in the same
            unit, smaller towards the camera; None if there is no mesh centred in the box.
        """
        x0, y0, side = crop_square(bbox_xyxy_px)
        crop = shrunk(padded_square(image, x0, y0, side), MAX_CROP_PX / side)
        meshes = [_to_pixels(mesh, x0, y0, side) for mesh in self._graph.find(crop)]
        return _in_box(meshes, bbox_xyxy_px)


def crop_square(bbox_xyxy_px: Float) -> tuple[int, int, int]:
    """Return x0, y0, side in whole pixels of the square around a box, with `MARGIN`."""
    left, top, right, bottom = (float(value) for value in bbox_xyxy_px)
    side = max(1, round((1 + 2 * MARGIN) * max(right - left, bottom - top)))
    x0 = round((left + right - side + 1) / 2)
    y0 = round((top + bottom - side + 1) / 2)
    return x0, y0, side


def _to_pixels(mesh: Float, x0: int, y0: int, side: int) -> Float:
    # MediaPipe's 0 is the outer edge of the first pixel, ours its centre.
    return mesh * side + np.array([x0 - 0.5, y0 - 0.5, 0.0])


def _in_box(meshes: list[Float], bbox_xyxy_px: Float) -> Float | None:
    """Return the mesh whose middle is nearest to the box's, if it lies in the box."""
    centre = (bbox_xyxy_px[:2] + bbox_xyxy_px[2:]) / 2
    reach = (bbox_xyxy_px[2:] - bbox_xyxy_px[:2]) / 2
    offsets = [np.abs((mesh[:, :2].min(0) + mesh[:, :2].max(0)) / 2 - centre) for mesh in meshes]
    candidates = [index for index, offset in enumerate(offsets) if (offset <= reach).all()]
    if not candidates:
        return None
    return meshes[min(candidates, key=lambda index: float(offsets[index].sum()))]
