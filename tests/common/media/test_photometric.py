"""Looks of photos: colours and light change, places stay, and one generator gives one look."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from common.arrays import Float, Image
from common.media.photometric import (
    BLUR,
    BRIGHTNESS,
    LOG_COLOUR,
    LOG_CONTRAST,
    LOG_GAMMA,
    NOISE,
    QUALITY,
    SHADING,
    SHARPENING,
    Look,
    PhotometricAugmentation,
)

SIDE = 96


def blobs(seed: int = 0) -> Image:
    """Coloured smooth noise that spans the levels."""
    noise = np.random.default_rng(seed).uniform(0, 255, (SIDE // 8, SIDE // 8, 3))
    image = cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


def looks(num: int, strength: float = 1.0) -> list[Look]:
    generator = np.random.default_rng(0)
    return [PhotometricAugmentation(strength).look(generator) for _ in range(num)]


def fine(image: Image) -> Float:
    """Brightness without slow changes over the image."""
    grey = image.mean(axis=2)
    return grey - cv2.GaussianBlur(grey, (0, 0), 12)


def seen(look: Look, image: Image, seed: int = 0) -> Image:
    return look(image, np.random.default_rng(seed))


def test_everything_stays_where_it_is() -> None:
    image = np.repeat(blobs()[..., :1], 3, axis=2)
    moves = [(down, across) for down in range(-2, 3) for across in range(-2, 3)]
    rolled = [np.roll(fine(image), move, (0, 1))[4:-4, 4:-4].ravel() for move in moves]
    patterns = np.array([(one - one.mean()) / one.std() for one in rolled])
    for look in looks(40):
        details = fine(seen(look, image))[4:-4, 4:-4].ravel()
        assert moves[int(np.argmax(patterns @ details))] == (0, 0)


def test_photos_are_bytes_of_the_same_size_and_differ() -> None:
    image, others = blobs(), looks(50)
    photos = [seen(look, image) for look in others]
    assert {(photo.shape, photo.dtype.name) for photo in photos} == {((SIDE, SIDE, 3), "uint8")}
    assert len({photo.tobytes() for photo in photos}) == len(photos)
    # However dark or light it is, something can be seen.
    assert min(photo.std() for photo in photos) > 10


def test_half_of_the_photos_are_grey_blurred_and_compressed() -> None:
    found = looks(1000)
    for shares in ([look.grey is not None for look in found], [look.blur > 0 for look in found]):
        assert abs(np.mean(shares) - 0.5) < 5 * 0.5 / np.sqrt(1000)
    assert abs(np.mean([look.quality is not None for look in found]) - 0.5) < 0.08
    grey = [replace(look, quality=None) for look in found[:60] if look.grey is not None]
    for photo in (seen(look, blobs()) for look in grey):
        assert (photo == photo[..., :1]).all()


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_the_strength_bounds_what_is_drawn(strength: float) -> None:
    found = looks(1000, strength)
    contrast = np.log([look.contrast for look in found])
    bounds = {
        "gamma": (np.log([look.gamma for look in found]), LOG_GAMMA),
        "more contrast": (contrast[contrast > 0], LOG_CONTRAST[1]),
        "less contrast": (contrast[contrast < 0], -LOG_CONTRAST[0]),
        "colour": (np.log([look.colour for look in found]), LOG_COLOUR),
        "brightness": ([look.brightness for look in found], BRIGHTNESS),
        "shading": ([look.shading for look in found], SHADING),
        "blur": ([look.blur for look in found], BLUR),
        "sharpening": ([look.sharpening for look in found], SHARPENING),
        "noise": ([look.noise for look in found], NOISE),
    }
    for name, (values, bound) in bounds.items():
        reached = np.abs(values).max() / (strength * bound)
        assert 0.95 < reached <= 1, name
    qualities = {look.quality for look in found} - {None}
    assert (min(qualities), max(qualities)) == QUALITY
    assert np.mean([look.grey is None for look in found]) > 1 - 0.6 * strength


def test_the_weaker_the_less_is_changed() -> None:
    image = blobs()
    changes = [
        np.mean([np.abs(seen(look, image).astype(int) - image).mean() for look in looks(60, each)])
        for each in (0.1, 0.4, 1.0)
    ]
    assert changes[0] < 8
    assert changes == sorted(changes)


def test_one_generator_gives_one_look_and_one_photo() -> None:
    assert repr(looks(20)) == repr(looks(20))
    look, image = looks(1)[0], blobs()
    np.testing.assert_array_equal(seen(look, image, 3), seen(look, image, 3))
    assert not np.array_equal(seen(look, image, 3), seen(look, image, 4))


@pytest.mark.parametrize("strength", [0.0, -0.5, 1.5, float("nan")])
def test_an_impossible_strength_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match=f"strength is {strength}.* 0.* 1"):
        PhotometricAugmentation(strength)
