"""How else training frames a face: elsewhere, nearer or farther, photographed smaller."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.arrays import Float, Image
from common.faces.cropping import moved
from gazepose.data.face_view import FaceView

FACE_PX = 224
"""Width of a face as it is stored."""


class Framing(NamedTuple):
    """How a face was framed, the same in all frames of a clip; by default as it is.

    Attributes:
        shift: (2,) to the right and down, in parts of the face's width.
        zoom: factor.
        width_px: how many pixels the face's width has; None leaves them.
    """

    shift: Float = np.zeros(2)
    zoom: float = 1.0
    width_px: int | None = None

    def moved(self, image: Image, view: FaceView) -> Image:
        """Return what is shown of a face (S, S, 3), moved and zoomed."""
        return moved(image, self.shift * len(image) * view.zoom, self.zoom)[0]

    def coarse(self, image: Image, view: FaceView) -> Image:
        """Return what is shown of a face (S, S, 3) with no more details than its width has."""
        if self.width_px is None:
            return image
        width_px = max(1, round(self.width_px / view.zoom))
        return FaceView(view.size)(FaceView(min(width_px, view.size))(image))


@dataclass(frozen=True)
class FramingAugmentation:
    """Random framings: where, how large and how far away a detector finds faces.

    Attributes:
        max_shift: a face is moved by up to this part of its width, on either axis.
        max_zoom: it is enlarged or shrunk by up to this fraction.
        least_width_px: it is shown as if photographed this wide, or wider; None leaves it.

    Raises:
        ValueError: If a fraction is not from 0 to below 1, or the width not that of a face.
    """

    max_shift: float = 0.0
    max_zoom: float = 0.0
    least_width_px: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_shift", "max_zoom"):
            if not 0 <= (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} is {value}, expected 0 or more, below 1")
        if self.least_width_px is not None and not 1 <= self.least_width_px <= FACE_PX:
            raise ValueError(
                f"least_width_px is {self.least_width_px}, expected 1 to {FACE_PX}, or null"
            )

    def framing(self, generator: np.random.Generator) -> Framing:
        """Draw a framing; with all of it off, nothing is drawn."""
        if self == FramingAugmentation():
            return Framing()
        least_px, width_px = self.least_width_px, None
        if least_px is not None:
            # As often between 30 and 60 as between 60 and 120: so faces are in photos of people.
            width_px = round(FACE_PX ** (share := generator.random()) * least_px ** (1 - share))
        across, down, zoom = generator.uniform(-1, 1, 3)
        shift = self.max_shift * np.array([across, down])
        return Framing(shift, 1 + self.max_zoom * zoom, width_px)
