"""Writing faces of invented people as a raw folder shaped like Gaze360's."""

from collections.abc import Sequence
from pathlib import Path

import cv2

from common.files.atomic import write_text_atomically
from common.media.image_codec import write_image
from common.synthetic.gaze360.faces import Gaze360Person, Gaze360Plan, Pose, draw, poses
from common.synthetic.raw_folder import claim_folder, write_all

IMAGE_FOLDER, LIST_FOLDER = "imgs", "code"
LIST_NAMES = {"train": "train.txt", "val": "validation.txt", "test": "test.txt"}
# Raised when the same arguments give other faces than before.
RENDERER_VERSION = 3
JPEG_QUALITY = 90


def write_gaze360(
    raw_dir: Path | str,
    *,
    num_train_people: int,
    num_val_people: int,
    num_test_people: int,
    faces_per_person: int = 24,
    face_width_px: Sequence[int] = (60, 190),
    seed: int = 0,
    num_workers: int = 0,
) -> Path:
    """Write faces of invented people in Gaze360's folders and lists; resumable.

    People look around as in the demo clips (`ego4d.writer.write_ego4d`): at the camera, past it,
    down, or, every fourth, all the time at something else; the head goes along in part. Nobody is
    in two parts. Under `raw_dir`:

    - ``imgs/<recording>/head/<identity>/<frame>.jpg``: the face, cut tightly;
    - ``code/{train,validation,test}.txt``: a line a face, its path and its gaze as a vector in
      Gaze360's eye coordinates (x to the image's left, y up, z away from the camera);
    - ``demo.json``: the arguments.

    The bytes depend on the arguments only, not on `num_workers`.

    Args:
        raw_dir: folder to write into; made if absent.
        num_train_people: people to train on.
        num_val_people: people to validate on.
        num_test_people: people to test on.
        faces_per_person: images of each.
        face_width_px: least and largest width of a face, pixels.
        seed: decides everything.
        num_workers: processes; 0 works in this one.

    Returns:
        `raw_dir`.

    Raises:
        ValueError: the folder holds other data, or the arguments make no sense.
    """
    plan = Gaze360Plan(
        num_people=(num_train_people, num_val_people, num_test_people),
        faces_per_person=faces_per_person,
        face_width_px=(int(face_width_px[0]), int(face_width_px[1])),
        seed=seed,
    )
    plan.check()
    raw_dir = Path(raw_dir)
    claim_folder(raw_dir, IMAGE_FOLDER, plan, renderer_version=RENDERER_VERSION)
    if not all((raw_dir / LIST_FOLDER / name).exists() for name in LIST_NAMES.values()):
        _write_lists(raw_dir, plan, num_workers)
    return raw_dir


def _write_lists(raw_dir: Path, plan: Gaze360Plan, num_workers: int) -> None:
    """Write all faces, then what they look at: a folder with lists is whole."""
    people = list(plan.people())
    arguments = [(raw_dir, plan, person) for person in people]
    lines: dict[str, list[str]] = {part: [] for part in LIST_NAMES}
    for person, written in zip(
        people, write_all(write_person, arguments, num_workers, of="person"), strict=True
    ):
        lines[person.part] += written
    for part, name in LIST_NAMES.items():
        write_text_atomically(raw_dir / LIST_FOLDER / name, "".join(lines[part]))


def write_person(raw_dir: Path, plan: Gaze360Plan, person: Gaze360Person) -> list[str]:
    """Write one person's missing faces; return the lines of all of them."""
    # Processes share the cores between them already.
    cv2.setNumThreads(1)
    names = [f"{person.folder}/{frame:06d}.jpg" for frame in range(plan.faces_per_person)]
    paths = [raw_dir / IMAGE_FOLDER / name for name in names]
    performed = poses(plan, person)
    if not all(path.exists() for path in paths):
        for path, image in zip(paths, draw(plan, person, performed), strict=True):
            write_image(path, image, JPEG_QUALITY)
    return [_line(name, pose) for name, pose in zip(names, performed, strict=True)]


def _line(name: str, pose: Pose) -> str:
    # Each of the published lines ends with a space.
    return " ".join([name, *(f"{value:.6f}" for value in pose.gaze360_vector)]) + " \n"
