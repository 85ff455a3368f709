"""Random crops of frames."""

import cv2
import numpy as np
import pytest
import torch
from builders.golden_ego4d import expected
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms.functional import resized_crop

from gazepose.data.augmentation import NUM_CROP_DRAWS, NUM_TRIES, crop_boxes, mirrored, paint

GOLDEN = expected()["train_transform"]
SIZE = 224


def torch_draws(num: int) -> np.ndarray:
    """The numbers that torchvision's ``get_params`` would draw, for `num` frames."""
    draws = np.full((num, NUM_TRIES, NUM_CROP_DRAWS), 0.5)
    for frame in draws:
        for one in frame:
            one[0] = (torch.empty(1).uniform_(0.8, 1).item() - 0.8) / 0.2
            low, high = torch.log(torch.tensor([3 / 4, 4 / 3])).tolist()
            one[1] = (torch.empty(1).uniform_(low, high).item() - low) / (high - low)
            _, _, height, width = crop_boxes(np.stack([[one] * NUM_TRIES]), SIZE)[0]
            if (height, width) != (SIZE, SIZE):
                one[2] = (torch.randint(0, SIZE - height + 1, ()).item() + 0.5) / (
                    SIZE - height + 1
                )
                one[3] = (torch.randint(0, SIZE - width + 1, ()).item() + 0.5) / (SIZE - width + 1)
                break
    return draws


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_crops_equal_torchvisions_for_its_random_numbers(seed: str) -> None:
    torch.manual_seed(int(seed))
    boxes = crop_boxes(torch_draws(7), SIZE)
    recorded = GOLDEN["get_params_ijhw_7_successive_by_torch_seed"][seed]
    np.testing.assert_array_equal(boxes, recorded)


def test_crops_are_distributed_like_torchvisions() -> None:
    draws = np.random.default_rng(0).random((4000, NUM_TRIES, NUM_CROP_DRAWS))
    ours = crop_boxes(draws, SIZE)
    torch.manual_seed(0)
    image = torch.zeros(1, SIZE, SIZE)
    theirs = [RandomResizedCrop.get_params(image, [0.8, 1], [3 / 4, 4 / 3]) for _ in range(4000)]
    for quantile in (0.1, 0.5, 0.9):
        difference = np.quantile(ours, quantile, axis=0) - np.quantile(theirs, quantile, axis=0)
        assert np.abs(difference).max() <= 2


def test_crops_lie_inside_and_have_the_stated_area_and_shape() -> None:
    draws = np.random.default_rng(1).random((2000, NUM_TRIES, NUM_CROP_DRAWS))
    top, left, height, width = crop_boxes(draws, SIZE).T
    assert min(top.min(), left.min()) == 0
    assert max((top + height).max(), (left + width).max()) == SIZE
    area = height * width / SIZE**2
    assert area.min() > 0.79
    assert area.max() <= 1
    assert (width / height).min() > 0.79
    assert (width / height).max() < 1 / 0.79


def test_the_whole_frame_is_taken_where_no_try_fits() -> None:
    # A quarter more width than height at full area never fits.
    draws = np.zeros((1, NUM_TRIES, NUM_CROP_DRAWS))
    draws[..., :2] = 0.999
    assert crop_boxes(draws, SIZE).tolist() == [[0, 0, SIZE, SIZE]]


def smooth_noise(seed: int, size: int = SIZE) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 255, (size // 4, size // 4, 3))
    return np.rint(cv2.resize(noise, (size, size), interpolation=cv2.INTER_LINEAR)).astype(np.uint8)


@pytest.mark.parametrize("box", [[2, 1, 200, 216], [33, 5, 184, 219], [0, 0, 224, 224]])
def test_painted_crops_differ_from_torchvisions_by_a_level_at_most(box: list[int]) -> None:
    image = smooth_noise(0)
    target = np.zeros_like(image)
    paint(target, image, np.array(box))
    floats = torch.from_numpy(image).permute(2, 0, 1).float()
    wanted = resized_crop(floats, *box, [SIZE, SIZE], antialias=True).permute(1, 2, 0).numpy()
    assert np.abs(target - wanted).max() <= 1
    assert np.abs(target - wanted).mean() < 0.5


def test_painting_equals_the_originals_record_to_a_level() -> None:
    ramp = np.zeros((SIZE, SIZE, 3), np.uint8)
    ramp[..., 0] = ramp[..., 2] = np.arange(SIZE)
    ramp[..., 1] = np.arange(SIZE)[:, None]
    target = np.zeros_like(ramp)
    paint(target, ramp, np.array(GOLDEN["get_params_ijhw_7_successive_by_torch_seed"]["0"][0]))
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    recorded = np.array(GOLDEN["seed0_out[:, ::56, ::56]"]).transpose(1, 2, 0) * std + mean
    np.testing.assert_allclose(target[::56, ::56], recorded * 255, atol=1)


def test_the_mirror_image_runs_the_other_way_and_back() -> None:
    image = smooth_noise(1, 32)
    np.testing.assert_array_equal(mirrored(image), image[:, ::-1])
    np.testing.assert_array_equal(mirrored(mirrored(image)), image)


def test_the_whole_frame_is_painted_as_it_is() -> None:
    image = smooth_noise(2, 32)
    target = np.zeros_like(image)
    paint(target, image, np.array([0, 0, 32, 32]))
    np.testing.assert_array_equal(target, image)
