"""What many take from the shelf, on a gaze data set: OpenVINO's gaze-estimation-adas-0002.

    pip install openvino
    python benchmarks/shelf_gaze.py --model .../FP16/gaze-estimation-adas-0002.xml
    python benchmarks/shelf_gaze.py --model ... --data columbiagaze

The net takes crops of both eyes and the head's angles; the stored (for ColumbiaGaze the true) head
pose is given. Its page does not say which eye is the left one, which way yaw counts, and how wide a
crop is: the reading with the least error on the train people is taken, and named. Printed is the
error on the test people, with a 95 % bootstrap interval over people.
"""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from bench_flame import print_table
from tqdm import tqdm

from common.evaluation.resampling import bootstrap_interval
from common.geometry import gaze_vector
from common.store.reading import FaceStore
from flame.data.partition import choose_split, with_parts
from flame.store.labels import GazeLabels

Float = npt.NDArray[np.floating[Any]]
SIDE_PX = 60
# Sides of a crop that are tried, in widths of the eye from corner to corner.
CROP_WIDTHS = (1.4, 1.8, 2.2)
# Photos of the train people by which the reading is chosen.
NUM_CHOOSING = 300
CORNERS = ((8, 14), (36, 42))  # of the image's left and right eye


class Reading(NamedTuple):
    """How the net's inputs and outputs are understood."""

    left_eye_is_images_right: bool
    yaw_is_to_images_right: bool
    crop_widths: float


def eye_crops(image: npt.NDArray[np.uint8], landmarks: Float, crop_widths: float) -> list[Float]:
    """Return the image's left and right eye, (1, 3, 60, 60) BGR."""
    points = landmarks.reshape(2, -1)
    crops = []
    for corners in CORNERS:
        ends = points[:, corners]
        half = crop_widths * float(np.linalg.norm(ends[:, 1] - ends[:, 0])) / 2
        x, y = ends.mean(axis=1)
        scale = SIDE_PX / (2 * half)
        matrix = np.array([[scale, 0, -scale * (x - half)], [0, scale, -scale * (y - half)]])
        crop = cv2.warpAffine(image, matrix, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
        crops.append(crop[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))
    return crops


class ShelfNet:
    """The net, and how it is read."""

    def __init__(self, path: Path) -> None:
        import openvino

        self._net = openvino.Core().compile_model(str(path), "CPU")

    def __call__(
        self, image: npt.NDArray[np.uint8], landmarks: Float, head_pose: Float, reading: Reading
    ) -> Float:
        """Return the gaze direction (3,) in the viewer frame, of unit length."""
        eyes = eye_crops(image, landmarks, reading.crop_widths)
        left, right = eyes[::-1] if reading.left_eye_is_images_right else eyes
        pitch_deg, yaw_deg, roll_deg = np.rad2deg(head_pose)
        turn = 1 if reading.yaw_is_to_images_right else -1
        angles = np.array([[turn * yaw_deg, pitch_deg, roll_deg]], np.float32)
        inputs = {"left_eye_image": left, "right_eye_image": right, "head_pose_angles": angles}
        found = np.asarray(self._net(inputs)["gaze_vector"][0], np.float64)
        # Unlike its page says, z points from the camera to the face.
        found[2] = -found[2]
        return found / np.linalg.norm(found)


def errors_deg(
    net: ShelfNet, store: FaceStore, labels: GazeLabels, rows: Sequence[int], reading: Reading
) -> Float:
    """Return the angle between predicted and true gaze of every row."""
    found = [
        net(store.image(row), labels.landmarks[row], labels.head_pose[row], reading)
        for row in tqdm(rows, desc=str(tuple(reading)), leave=False)
    ]
    cosines = np.einsum("ij,ij->i", np.array(found), gaze_vector(labels.gaze[list(rows)]))
    return np.rad2deg(np.arccos(cosines.clip(-1, 1)))


def main() -> None:
    """Choose the reading on train people, print the error on test people."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="the net's .xml")
    parser.add_argument("--data", default="columbia_eyes", help="name of the store")
    parser.add_argument("--stores", type=Path, default=Path("data/stores"))
    parser.add_argument("--split", default="columbiagaze_cross_person")
    arguments = parser.parse_args()
    store = FaceStore(arguments.stores / arguments.data)
    labels = GazeLabels.from_table(store.table)
    table = with_parts(store.table, choose_split(arguments.split, store.table, (), 0))
    parts = table.partition_by("part", as_dict=True)
    rows = {part: parts[part,]["row"].to_list() for part in ("train", "test")}
    choosing = np.linspace(0, len(rows["train"]) - 1, NUM_CHOOSING).astype(int)
    few = [rows["train"][place] for place in choosing]
    net = ShelfNet(arguments.model)
    readings = [
        Reading(*flags) for flags in itertools.product((False, True), (False, True), CROP_WIDTHS)
    ]
    on_train = {one: errors_deg(net, store, labels, few, one).mean() for one in readings}
    reading = min(on_train, key=lambda one: on_train[one])
    errors = errors_deg(net, store, labels, rows["test"], reading)
    people = parts["test",]["subject"].to_numpy()
    interval = bootstrap_interval(errors, clusters=people)
    print(f"{arguments.model.stem} on {arguments.data}, split {arguments.split}\n")
    found = f"{errors.mean():.2f} +- {errors.std(ddof=1):.2f} deg"
    reach = f"95 % over people [{interval.low:.2f}, {interval.high:.2f}]"
    rows_shown = [
        (f"{NUM_CHOOSING} train photos, {one._asdict()}", f"{error:.2f} deg", "")
        for one, error in on_train.items()
    ]
    test = f"{len(errors)} test photos of {len(set(people))} people, {reading._asdict()}"
    print_table([*rows_shown, (test, found, reach)])


if __name__ == "__main__":
    main()
