"""The picture is followed where the camera moves, and with it the faces that are not seen."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest

from common.faces.camera_motion import CameraMotion
from common.faces.detection import Face
from common.faces.tracking import TrackingSettings, face_tracks

WIDTH, HEIGHT = 480, 320
# Two people, in the world that the camera looks at.
PEOPLE = np.array([[300.0, 260, 360, 330], [520, 260, 580, 330]])
# Where the camera looks: still, a swing by more than the people's distance, still again.
SWING = np.array([[200.0, 150]] * 3 + [[200 + 55.0 * i, 150 + 4 * i] for i in range(1, 5)])
STILL_AGAIN = np.repeat(SWING[-1:], 3, axis=0)
CAMERA = np.concatenate([SWING, STILL_AGAIN])


def world(seed: int = 0) -> np.ndarray:
    """A large picture of soft blobs."""
    noise = np.random.default_rng(seed).uniform(0, 255, (80, 110, 3)).astype(np.float32)
    return cv2.resize(noise, (1100, 800), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def view(picture: np.ndarray, corner: Sequence[float], blur: int = 1) -> np.ndarray:
    """What a camera sees whose upper left corner lies there."""
    moved = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]]], np.float64)
    seen = cv2.warpAffine(picture, moved, (WIDTH, HEIGHT))
    return cv2.blur(seen, (blur, 1)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("blur", [1, 25])
def test_a_moving_camera_moves_the_picture_the_other_way(blur: int) -> None:
    picture, motion = world(), CameraMotion()
    for corner in CAMERA:
        found = motion.follow(view(picture, corner, blur))
        np.testing.assert_allclose(found, CAMERA[0] - corner, atol=3)


def test_a_picture_that_stands_still_does_not_drift() -> None:
    generator, seen, motion = np.random.default_rng(0), view(world(), (50, 50)), CameraMotion()
    for _ in range(30):
        noisy = seen + generator.normal(0, 8, seen.shape)
        found = motion.follow(noisy.clip(0, 255).astype(np.uint8))
    np.testing.assert_allclose(found, 0, atol=2)


def test_a_cut_and_plain_pictures_count_as_not_moved() -> None:
    motion = CameraMotion()
    plain = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for image in (view(world(), (50, 50)), view(world(1), (50, 50)), plain, plain):
        np.testing.assert_array_equal(motion.follow(image), 0)


class BlurredFaces:
    """Finds both people, but not while the camera swings fastest; the frame's number is told."""

    def __init__(self, unseen: range) -> None:
        self._unseen = unseen
        self._number = -1

    def detect(self, image: np.ndarray) -> list[Face]:
        self._number += 1
        if self._number in self._unseen:
            return []
        boxes = PEOPLE - np.tile(CAMERA[self._number], 2)
        inside = (boxes[:, 0] >= 0) & (boxes[:, 2] <= WIDTH)
        return [Face(box, 0.9) for box in boxes[inside]]


def frames() -> Iterator[tuple[int, np.ndarray]]:
    picture = world()
    for number, corner in enumerate(CAMERA):
        yield number, view(picture, corner, blur=9)


def test_nobody_gets_anothers_number_when_the_camera_swings() -> None:
    # After the swing the second person's face lies where the first one's was.
    swing = CAMERA[-1] - CAMERA[0]
    assert abs(swing[0] - (PEOPLE[1] - PEOPLE[0])[0]) < 1
    tracks = face_tracks(frames(), BlurredFaces(range(3, 7)).detect, TrackingSettings(min_length=1))
    for track in tracks:
        in_world = track.boxes_xyxy_px + np.tile(CAMERA[track.frames], 2)
        assert np.ptp(in_world, axis=0).max() < 1
    assert [track.frames.tolist() for track in tracks] == [[0, 1, 2], [0, 1, 2, 7, 8, 9]]


def test_a_track_knows_the_camera_where_its_face_is_not_seen() -> None:
    tracks = face_tracks(frames(), BlurredFaces(range(3, 7)).detect, TrackingSettings(min_length=1))
    found = tracks[1].camera_px
    np.testing.assert_allclose(found, CAMERA[0] - CAMERA, atol=4)
