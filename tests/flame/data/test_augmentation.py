"""What training does to an eye crop moves image, landmarks and labels together."""

from dataclasses import fields

import numpy as np
import pytest

from common.faces.eye_landmarks import MIRRORED_POINTS
from common.geometry import mirror_gaze
from flame.batch import LEFT, RIGHT
from flame.data.augmentation import Eye, EyeAugmentation, mirrored

SIDE = 120


def dotted_eye(seed: int = 0) -> Eye:
    """Return a dark crop with a bright blob at each landmark of one eye."""
    generator = np.random.default_rng(seed)
    points = generator.uniform(30, SIDE - 30, (2, 56))
    image = np.full((SIDE, SIDE, 3), 40, np.uint8)
    for x, y in points[:, :3].T:
        image[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2] = 200
    return Eye(image, points.reshape(-1), np.array([0.1, 0.2, 0.3]), np.array([0.2, -0.1]), RIGHT)


def same(one: Eye, other: Eye) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Eye))


def brightness_at(eye: Eye, which: list[int]) -> list[int]:
    x, y = eye.landmarks.reshape(2, -1)[:, which].round().astype(int)
    return eye.image[y, x, 0].tolist()


def test_nothing_is_changed_by_default() -> None:
    eye = dotted_eye()
    assert all(same(EyeAugmentation()(eye, np.random.default_rng(n)), eye) for n in range(8))


def test_the_mirror_image_shows_the_other_eye_and_mirrored_twice_is_the_same() -> None:
    eye = dotted_eye()
    flipped = mirrored(eye)
    assert flipped.eye == LEFT
    np.testing.assert_array_equal(flipped.gaze, mirror_gaze(eye.gaze))
    np.testing.assert_array_equal(flipped.head_pose, [0.1, -0.2, -0.3])
    where = [MIRRORED_POINTS.tolist().index(point) for point in range(3)]
    assert brightness_at(flipped, where) == [200, 200, 200]
    twice = mirrored(flipped)
    np.testing.assert_allclose(twice.landmarks, eye.landmarks)
    assert np.array_equal(twice.image, eye.image)


def test_every_other_crop_is_mirrored() -> None:
    eye, augmentation = dotted_eye(), EyeAugmentation(mirror=True)
    sides = [augmentation(eye, np.random.default_rng(n)).eye for n in range(400)]
    assert abs(np.mean(sides) - 0.5) < 5 * 0.5 / np.sqrt(len(sides))


def test_landmarks_stay_on_what_they_mark() -> None:
    augmentation = EyeAugmentation(max_shift_px=8, max_zoom=0.15, max_stretch=0.1)
    for seed in range(6):
        moved = augmentation(dotted_eye(seed), np.random.default_rng(seed))
        assert not np.array_equal(moved.landmarks, dotted_eye(seed).landmarks)
        assert min(brightness_at(moved, [0, 1, 2])) > 120
        np.testing.assert_array_equal(moved.gaze, dotted_eye().gaze)


def test_moves_stay_within_their_bounds() -> None:
    eye = dotted_eye()
    for number in range(50):
        moved = EyeAugmentation(max_shift_px=5)(eye, np.random.default_rng(number))
        assert np.abs(moved.landmarks - eye.landmarks).max() <= 5


def test_iris_and_lids_err_apart_and_the_picture_stays() -> None:
    eye = dotted_eye()
    augmentation = EyeAugmentation(landmark_noise_px=2.0, head_pose_noise_rad=0.1)
    noisy = [augmentation(eye, np.random.default_rng(n)) for n in range(1000)]
    assert all(np.array_equal(each.image, eye.image) for each in noisy)
    moved = np.stack([each.landmarks - eye.landmarks for each in noisy]).reshape(-1, 2, 2, 28)
    iris, lids = moved[..., :8].mean((-2, -1)), moved[..., 8:20].mean((-2, -1))
    for errors in (iris, lids):
        np.testing.assert_allclose(errors.std(0), 2.0, rtol=0.12)
        np.testing.assert_allclose(errors.mean(0), 0.0, atol=0.3)
    assert abs(np.corrcoef(iris[:, 1], lids[:, 1])[0, 1]) < 0.15
    turned = np.stack([each.head_pose - eye.head_pose for each in noisy])
    np.testing.assert_allclose(turned.std(0), 0.1, rtol=0.12)


def test_stretching_leaves_the_eyes_where_they_are() -> None:
    eye = dotted_eye()
    augmentation = EyeAugmentation(landmark_stretch=0.1)
    seen = [augmentation(eye, np.random.default_rng(n)).landmarks for n in range(1000)]
    stretched, true = np.reshape(seen, (-1, 2, 2, 28)), eye.landmarks.reshape(2, 2, 28)
    np.testing.assert_allclose(stretched.mean(-1), true.mean(-1)[None].repeat(1000, 0), atol=1e-9)
    factors = stretched.std(-1) / true.std(-1)
    np.testing.assert_allclose(factors[..., 0], factors[..., 1])
    np.testing.assert_allclose(factors[..., 0].std(0), 0.1, rtol=0.12)
    assert abs(np.corrcoef(factors[:, 0, 0], factors[:, 1, 0])[0, 1]) < 0.15


def test_contrast_changes_grey_levels_alone_and_within_its_bounds() -> None:
    eye = dotted_eye()
    means = []
    for number in range(50):
        seen = EyeAugmentation(max_contrast=0.3)(eye, np.random.default_rng(number))
        np.testing.assert_array_equal(seen.landmarks, eye.landmarks)
        means.append(seen.image.mean() / eye.image.mean())
    assert 0.69 < min(means) < 0.9 < 1.1 < max(means) < 1.31


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({"max_shift_px": -1}, r"max_shift_px .*-1.* 0"),
        ({"max_zoom": 1.0}, r"max_zoom .*1\.0.* 0 .* 1"),
        ({"max_contrast": -0.1}, r"max_contrast .*-0\.1.* 0 .* 1"),
    ],
)
def test_impossible_bounds_are_refused(options: dict[str, float], facts: str) -> None:
    with pytest.raises(ValueError, match=facts):
        EyeAugmentation(**options)
