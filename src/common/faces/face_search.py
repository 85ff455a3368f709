"""A face of a video looked for in a picture: anywhere, as its mesh has moved, around its place.

Boxes stay those that the detector drew, so that nets see faces cut as in training.
"""

from dataclasses import replace

import numpy as np

from common.arrays import Image
from common.faces.analysis import FaceAnalyzer
from common.faces.cropping import padded_square
from common.faces.detection import MAX_OVERLAP, Face
from common.faces.found_faces import FoundFace, area, overlap, place

# Where a lost face is searched: a square of so many longer sides of its box.
_SEARCHED = 2.5
# Of faces that no track has yet.
_NO_TRACK = -1


class FaceSearch:
    """Finds faces in single pictures; remembers nothing of them.

    Args:
        analyzer: finds faces and their meshes.
    """

    def __init__(self, analyzer: FaceAnalyzer) -> None:
        self._analyzer = analyzer

    def anywhere(self, image: Image, *, largest_only: bool = False) -> list[FoundFace]:
        """Return the faces of an image (H, W, 3) uint8 RGB, best first; none has a track yet."""
        faces = self._analyzer.detect(image)
        if largest_only:
            faces = sorted(faces, key=lambda face: -area(face.bbox_xyxy_px))[:1]
        return [self._with_mesh(image, face) for face in faces]

    def again(self, image: Image, there: FoundFace) -> FoundFace | None:
        """Return a face that is expected there, by its mesh or around there; None if it is lost."""
        return self.by_mesh(image, there) or self._nearby(image, there)

    def by_mesh(self, image: Image, there: FoundFace) -> FoundFace | None:
        """Return an expected face moved and grown as its mesh has; None if that is gone."""
        mesh = None if there.mesh is None else self._analyzer.mesh(image, there.bbox_xyxy_px)
        if mesh is None or there.mesh is None:
            return None
        (before, size), (now, size_now) = place(there.mesh), place(mesh)
        corners = there.bbox_xyxy_px.reshape(2, 2)
        box = ((corners - before) * (size_now / size) + now).reshape(4)
        return replace(there, bbox_xyxy_px=box, mesh=mesh)

    def _nearby(self, image: Image, there: FoundFace) -> FoundFace | None:
        """Return an expected face as the detector finds it around there; None if it does not."""
        low, high = there.bbox_xyxy_px.reshape(2, 2)
        side = max(1, round(_SEARCHED * float(max(high - low))))
        x0, y0 = (round(float(value)) for value in (low + high - side) / 2)
        around = padded_square(image, x0, y0, side)
        origin = np.array([x0, y0, x0, y0])
        found = [
            replace(face, bbox_xyxy_px=face.bbox_xyxy_px + origin)
            for face in self._analyzer.detect(around)
        ]
        here = [face for face in found if overlap(face, there) > MAX_OVERLAP]
        if not here:
            return None
        best = self._with_mesh(image, max(here, key=lambda face: overlap(face, there)))
        # So near, a neck looks as sure as a face: only whole pictures say how sure it is.
        return replace(best, track=there.track, confidence=there.confidence)

    def _with_mesh(self, image: Image, face: Face) -> FoundFace:
        box = face.bbox_xyxy_px
        return FoundFace(_NO_TRACK, box, face.confidence, self._analyzer.mesh(image, box))
