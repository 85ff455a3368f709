"""A photo's look, drawn: colour, light, sharpness, noise and JPEG of another camera and room."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import cv2
import numpy as np

from common.arrays import Array, Image
from common.config.recordable import recordable
from common.media.image_codec import decode_image, encode_image

# Shares of photos that are grey, blurred and compressed once more.
GREY_SHARE, BLUR_SHARE, JPEG_SHARE = 0.5, 0.5, 0.5
# Bounds at strength 1: of the factors' logarithms; of what is added, 1 being white.
LOG_GAMMA, LOG_CONTRAST, LOG_COLOUR = 0.7, (-0.4, 0.8), 0.12
BRIGHTNESS, SHADING, NOISE = 0.2, 0.25, 0.04
# Standard deviation at strength 1, in parts of the image's side.
BLUR = 0.015
# Of what a blur takes away, added; and that blur.
SHARPENING, SHARPENING_BLUR_PX = 2.0, 1.0
QUALITY = (30, 95)
# Of the normal distribution, in the middle of each of 256 parts.
_QUANTILES = np.array([NormalDist().inv_cdf((n + 0.5) / 256) for n in range(256)], np.float32)


@dataclass(frozen=True)
class Look:
    """How a photo is changed; where everything is stays as it was.

    Attributes:
        grey: weights (3,) of red, green and blue in a grey photo; None keeps the colours.
        colour: (3,) factors.
        gamma: exponent.
        contrast: factor about the mean.
        brightness: added, 1 being white.
        shading: added at the right and at the lower border, subtracted at the opposite ones.
        blur: standard deviation in parts of the side.
        sharpening: factor on fine detail, less 1.
        noise: standard deviation, 1 being white.
        quality: of JPEG; None leaves it.
    """

    grey: Array | None
    colour: Array
    gamma: float
    contrast: float
    brightness: float
    shading: tuple[float, float]
    blur: float
    sharpening: float
    noise: float
    quality: int | None

    def __call__(self, image: Image, generator: np.random.Generator) -> Image:
        """Return the photo (H, W, 3) uint8 RGB as it would look; its noise is drawn."""
        levels = image if self.grey is None else cv2.transform(image, self.grey[None])
        seen = self._lit(cv2.LUT(levels, self._tones()))
        if self.blur:
            seen = cv2.GaussianBlur(seen, (0, 0), self.blur * max(image.shape[:2]))
        if self.sharpening:
            blurred = cv2.GaussianBlur(seen, (0, 0), SHARPENING_BLUR_PX)
            seen += np.float32(self.sharpening) * (seen - blurred)
        # Rounded, and cut off at black and white.
        noise = _normal(seen.shape, generator)
        photo = cv2.addWeighted(seen, 255, noise, 255 * self.noise, 0, dtype=cv2.CV_8U)
        photo = photo if self.grey is None else cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB)
        return photo if self.quality is None else _compressed(photo, self.quality)

    def numbers(self) -> Array:
        """Return it as (15,) float32, for `common.media.photometric_batch`; no grey, no JPEG: 0."""
        grey = np.zeros(3) if self.grey is None else self.grey
        light = (self.gamma, self.contrast, self.brightness, *self.shading)
        detail = (self.blur, self.sharpening, self.noise, self.quality or 0)
        return np.array([*grey, *self.colour, *light, *detail], np.float32)

    def _tones(self) -> Array:
        """Return what becomes of each level (1, 256, C), 1 being white."""
        curve = (np.arange(256) / 255) ** self.gamma
        colour = np.ones(1) if self.grey is not None else self.colour
        return (curve[None, :, None] * colour).astype(np.float32)

    def _lit(self, seen: Array) -> Array:
        """Return an image (H, W, C), or (H, W) of a grey one, of other contrast and light."""
        height, width = seen.shape[:2]
        right, low = self.shading
        # In rows of numbers, not of pixels: NumPy is slow along an axis of three.
        lit = seen.reshape(height, -1)
        columns = np.repeat(np.linspace(-right, right, width), lit.shape[1] // width)
        rows = np.linspace(-low, low, height) + self.brightness + (1 - self.contrast) * seen.mean()
        lit *= np.float32(self.contrast)
        lit += columns.astype(np.float32)
        lit += rows.astype(np.float32)[:, None]
        return seen


@recordable
@dataclass(frozen=True)
class PhotometricAugmentation:
    """Random looks, of training.

    Attributes:
        strength: 1 draws from all that photos of people span, less from a part of it.
        on_device: the loader only draws looks, which are then given to whole batches where the net
            is: pixels differ by roundings, and the noise is another (`photometric_batch`).

    Raises:
        ValueError: If the strength is not above 0 and at most 1.
    """

    strength: float = 1.0
    on_device: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1:
            raise ValueError(f"strength is {self.strength}, expected above 0, at most 1")

    def __call__(self, image: Image, generator: np.random.Generator) -> tuple[Image, Array | None]:
        """Return a photo as a look of its own shows it; or as it is, and what is left to do.

        The latter are the look's numbers, to go with the photo to the device.
        """
        look = self.look(generator)
        return (image, look.numbers()) if self.on_device else (look(image, generator), None)

    def look(self, generator: np.random.Generator) -> Look:
        """Draw a look; the frames of a clip share one."""
        strength = self.strength
        is_grey, is_blurred, is_compressed = generator.random(3) < np.multiply(
            strength, (GREY_SHARE, BLUR_SHARE, JPEG_SHARE)
        )
        mix = generator.random(3) + 0.2
        gamma, contrast, brightness, across, down, *colour = generator.uniform(
            -strength, strength, 8
        )
        blur, sharpening, noise = generator.uniform(0, strength, 3)
        quality = int(generator.integers(*QUALITY, endpoint=True))
        return Look(
            grey=mix / mix.sum() if is_grey else None,
            colour=np.exp(LOG_COLOUR * np.array(colour)),
            gamma=float(np.exp(LOG_GAMMA * gamma)),
            contrast=float(np.exp(LOG_CONTRAST[int(contrast > 0)] * abs(contrast))),
            brightness=BRIGHTNESS * brightness,
            shading=(SHADING * across, SHADING * down),
            blur=BLUR * blur if is_blurred else 0.0,
            sharpening=0.0 if is_blurred else SHARPENING * sharpening,
            noise=NOISE * noise,
            quality=quality if is_compressed else None,
        )


def _normal(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Draw normally distributed numbers, 256 different ones: bytes take a tenth of the time."""
    drawn = np.frombuffer(generator.bytes(math.prod(shape)), np.uint8)
    return cv2.LUT(drawn, _QUANTILES).reshape(shape)


def _compressed(photo: Image, quality: int) -> Image:
    decoded = decode_image(encode_image(photo, "jpeg", quality))
    assert decoded is not None
    return decoded
