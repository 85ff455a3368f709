"""Writing photos of invented people as a raw folder shaped like Columbia Gaze."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from common.files.atomic import write_text_atomically
from common.media.image_codec import write_image
from common.synthetic.columbia.shots import ColumbiaPlan, Shot, identity_seed
from common.synthetic.people.head import Identity, make_identity
from common.synthetic.raw_folder import claim_folder, write_all
from common.synthetic.rendering.backdrop import sample_backdrop
from common.synthetic.rendering.face_pose import FacePose
from common.synthetic.rendering.renderer import render_face

DATA_SET_FOLDER = "Columbia Gaze Data Set"
TRUTH_FILE = "ground_truth.csv"
# Raised when the same arguments give other photos than before.
RENDERER_VERSION = 5
BACKDROP_STREAM = 3
TRUTH_COLUMNS = [
    "sample_id",
    *(f"head_{name}_rad" for name in ("pitch", "yaw", "roll")),
    *(f"gaze_{name}_rad" for name in ("yaw", "pitch")),
    *(f"eye_lmk_{axis}_{i}" for axis in "xy" for i in range(56)),
]


def write_columbia(
    raw_dir: Path | str,
    *,
    num_subjects: int,
    head_yaws_deg: Sequence[int] = (-30, -15, 0, 15, 30),
    gaze_pitches_deg: Sequence[int] = (-10, 0, 10),
    gaze_yaws_deg: Sequence[int] = (-15, -10, -5, 0, 5, 10, 15),
    image_size: Sequence[int] = (480, 480),
    seed: int = 0,
    jpeg_quality: int = 92,
    head_pitch_jitter_deg: float = 2.0,
    head_roll_jitter_deg: float = 2.5,
    num_workers: int = 0,
) -> Path:
    """Write photos of invented people in Columbia Gaze's folders and names; resumable.

    Photos are ``<raw_dir>/Columbia Gaze Data Set/0001/0001_2m_-15P_10V_-5H.jpg``. Beside the
    folder, ``demo.json`` records the arguments and ``ground_truth.csv`` the exact head pose and
    gaze (radians, suite's axes) and the 2 x 28 eye landmarks (pixels) of every photo. Photos that
    are there are kept. The default angles are Columbia's own; of wider ones, combinations that no
    eye can reach in its head are left out.

    Args:
        raw_dir: folder to write into; made if absent.
        num_subjects: how many people, numbered from 0001.
        head_yaws_deg: P, + = head turned to the image's right.
        gaze_pitches_deg: V, + = up.
        gaze_yaws_deg: H, + = to the image's right.
        image_size: (width, height) in pixels.
        seed: decides people, jitter and light.
        jpeg_quality: 1..100.
        head_pitch_jitter_deg: standard deviation of the head's unwanted nod.
        head_roll_jitter_deg: standard deviation of its unwanted tilt.
        num_workers: processes; 0 works in this one.

    Returns:
        The folder of the subjects' folders.

    Raises:
        ValueError: the folder holds other data, or in all photos eyes would have to turn too far.
    """
    plan = ColumbiaPlan(
        num_subjects=num_subjects,
        head_yaws_deg=tuple(int(angle) for angle in head_yaws_deg),
        gaze_pitches_deg=tuple(int(angle) for angle in gaze_pitches_deg),
        gaze_yaws_deg=tuple(int(angle) for angle in gaze_yaws_deg),
        image_size=(int(image_size[0]), int(image_size[1])),
        seed=seed,
        jpeg_quality=jpeg_quality,
        head_pitch_jitter_deg=head_pitch_jitter_deg,
        head_roll_jitter_deg=head_roll_jitter_deg,
    )
    plan.check()
    raw_dir = Path(raw_dir)
    claim_folder(raw_dir, DATA_SET_FOLDER, plan, renderer_version=RENDERER_VERSION)
    if not _is_complete(raw_dir, plan):
        subjects = [(raw_dir, plan, number) for number in range(1, plan.num_subjects + 1)]
        rows = write_all(write_subject, subjects, num_workers, of="person")
        write_text_atomically(raw_dir / TRUTH_FILE, _truth_csv(chain.from_iterable(rows)))
    return raw_dir / DATA_SET_FOLDER


def _is_complete(raw_dir: Path, plan: ColumbiaPlan) -> bool:
    photos = (raw_dir / DATA_SET_FOLDER).glob("[0-9]*/[0-9]*.jpg")
    num_photos = plan.num_subjects * plan.photos_per_subject
    return (raw_dir / TRUTH_FILE).exists() and sum(1 for _ in photos) == num_photos


def write_subject(raw_dir: Path, plan: ColumbiaPlan, subject: int) -> list[list[str]]:
    """Write one subject's missing photos; return the ground truth of all of them."""
    # Processes share the cores between them already.
    cv2.setNumThreads(1)
    width, height = plan.image_size
    rng = np.random.default_rng([BACKDROP_STREAM, plan.seed, subject])
    identity = make_identity(identity_seed(plan.seed, subject))
    backdrop = sample_backdrop(rng, height, width)
    folder = raw_dir / DATA_SET_FOLDER / f"{subject:04d}"
    rows = []
    for shot in plan.shots(subject):
        path = folder / f"{shot.sample_id}.jpg"
        if not path.exists():
            face = render_face(
                identity,
                head_pose=shot.head_pose,
                gaze=shot.gaze,
                position_cm=shot.position_cm,
                camera_matrix=shot.camera_matrix,
                image_size=plan.image_size,
                rng=np.random.default_rng(shot.photo_seed),
                backdrop=backdrop,
                pupil_radius_cm=shot.pupil_radius_cm,
            )
            write_image(path, face.image, plan.jpeg_quality)
        rows.append(_truth_row(identity, shot))
    return rows


def _truth_row(identity: Identity, shot: Shot) -> list[str]:
    pose = FacePose.of(
        identity,
        head_pose=shot.head_pose,
        gaze=shot.gaze,
        position_cm=shot.position_cm,
        pupil_radius_cm=shot.pupil_radius_cm,
    )
    labels = pose.labels(identity, shot.camera_matrix)
    angles = [f"{value:.6f}" for value in (*labels.head_pose, *labels.gaze)]
    return [shot.sample_id, *angles, *(f"{value:.3f}" for value in labels.eye_landmarks)]


def _truth_csv(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TRUTH_COLUMNS)
    writer.writerows(rows)
    return text.getvalue()
