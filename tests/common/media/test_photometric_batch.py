"""Looks that the device gives to a batch: the loader's pixels, but for roundings and noise."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from common.arrays import Image
from common.media.image_codec import decode_image, encode_image
from common.media.jpeg_batch import compressed
from common.media.photometric import Look, PhotometricAugmentation
from common.media.photometric_batch import photographed

NUM_LOOKS = 60


def photos(num: int, height: int, width: int) -> list[Image]:
    """Smooth colours with fine and coarse detail, levels from black to white."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(num):
        coarse = generator.uniform(-40, 295, (height // 8, width // 8, 3))
        image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        image += generator.normal(0, 3, image.shape)
        found.append(np.clip(image, 0, 255).astype(np.uint8))
    return found


def on_device(images: list[Image], looks: list[Look]) -> list[Image]:
    """Each image of its own look."""
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    numbers = torch.from_numpy(np.stack([look.numbers() for look in looks]))
    seen = photographed(batch, numbers)
    assert (seen.shape, seen.dtype) == (batch.shape, batch.dtype)
    return list(seen.permute(0, 2, 3, 1).numpy())


def differences(ours: list[Image], theirs: list[Image]) -> np.ndarray:
    return np.abs(np.stack(ours).astype(int) - np.stack(theirs).astype(int))


def test_pixels_are_the_loaders_within_a_level_before_noise_and_jpeg() -> None:
    generator = np.random.default_rng(1)
    looks = [PhotometricAugmentation().look(generator) for _ in range(NUM_LOOKS)]
    looks = [replace(look, noise=0.0, quality=None) for look in looks]
    images = photos(NUM_LOOKS, 48, 64)
    by_loader = [look(image, generator) for look, image in zip(looks, images, strict=True)]
    off = differences(on_device(images, looks), by_loader)
    assert off.max() <= 1
    assert off.mean() < 0.01


@pytest.mark.parametrize(("height", "width"), [(64, 48), (60, 44)])
def test_jpeg_loses_what_a_file_loses(height: int, width: int) -> None:
    qualities = np.random.default_rng(2).integers(30, 96, NUM_LOOKS)
    images = photos(NUM_LOOKS, height, width)
    files = [
        decode_image(encode_image(image, "jpeg", int(quality)))
        for image, quality in zip(images, qualities, strict=True)
    ]
    levels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
    ours = compressed(levels, torch.from_numpy(qualities).float()).permute(0, 2, 3, 1)
    off = differences(list(ours.numpy().astype(np.uint8)), files)  # type: ignore[arg-type]
    assert off.mean() < 0.35
    assert np.mean(off > 3) < 0.015
    # That is little beside what is lost.
    assert differences(images, files).mean() > 5  # type: ignore[arg-type]


def test_noise_has_the_looks_strength_and_is_each_frames_own() -> None:
    still = Look(None, np.ones(3), 1.0, 1.0, 0.0, (0.0, 0.0), 0.0, 0.0, 0.03, None)
    clip = torch.full((1, 7, 3, 64, 64), 128, dtype=torch.uint8)
    torch.manual_seed(0)
    seen = photographed(clip, torch.from_numpy(still.numbers())[None]).float()
    np.testing.assert_allclose(seen.std((2, 3, 4)) / 255, 0.03, rtol=0.03)
    assert abs(float(torch.corrcoef(seen.flatten(2)[0])[0, 1])) < 0.05
    torch.manual_seed(0)
    again = photographed(clip, torch.from_numpy(still.numbers())[None])
    assert torch.equal(seen, again.float())


def test_black_frames_stay_black_and_no_sample_is_no_error() -> None:
    look = PhotometricAugmentation().look(np.random.default_rng(0))
    clips = torch.full((2, 7, 3, 32, 32), 90, dtype=torch.uint8)
    clips[1, 2] = 0
    numbers = torch.from_numpy(np.stack([look.numbers()] * 2))
    seen = photographed(clips, numbers)
    is_black = (seen == 0).flatten(2).all(-1)
    assert is_black.nonzero().tolist() == [[1, 2]]
    assert photographed(clips[:0], numbers[:0]).shape == (0, 7, 3, 32, 32)
