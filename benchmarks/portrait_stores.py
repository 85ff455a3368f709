"""Stores of a few invented people for benchmarks: a few faces, shown as often as samples are asked.

What a loader does with an image depends on its size and its content, not on who else has it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from lam_store import write_store

from common.media.image_codec import encode_image
from common.store.writing import GroupWriter, claim_store
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.portraits import render_portrait
from common.synthetic.rendering.renderer import RenderedFace
from flame.store.columns import landmark_columns, pose_columns

# Around each eye of a face this wide an eye crop of 120 px finds room.
GAZE_PX, LAM_PX = 384, 224
QUALITY = 95
# Share of the faces, named as in ColumbiaGaze, whose published split has them in these parts.
SUBJECTS = {"0001": 0.4, "0002": 0.4, "0007": 0.1, "0009": 0.1}
PARTS = {"train": ["0001", "0002"], "val": ["0007"], "test": ["0009"]}


def render_faces(num: int, paint_chart_size: int) -> list[RenderedFace]:
    """Return portraits of as many people, of `GAZE_PX` pixels; a smaller chart is quicker."""
    generator = np.random.default_rng(0)
    people = (make_identity(seed, paint_chart_size) for seed in range(num))
    return [render_portrait(person, generator, size_px=GAZE_PX) for person in people]


def write_lam_store(
    store_dir: Path, faces: Sequence[RenderedFace], num_clips: int, num_frames: int
) -> None:
    """Write an eye-contact store as `write_store` does, whose images are these faces."""
    small = [
        cv2.resize(face.image, (LAM_PX, LAM_PX), interpolation=cv2.INTER_AREA) for face in faces
    ]
    images = [encode_image(image, "jpeg", QUALITY) for image in small]
    write_store(store_dir, num_clips, num_frames, images)


def write_gaze_store(store_dir: Path, faces: Sequence[RenderedFace], num_rows: int) -> None:
    """Write a gaze store of so many rows, of `SUBJECTS` who look alike, and its split."""
    claim_store(store_dir, {"data": "bench", "gaze_convention": "columbia_target_angles"})
    encoded = [encode_image(face.image, "jpeg", QUALITY) for face in faces]
    for subject, part in SUBJECTS.items():
        with GroupWriter(store_dir, subject) as writer:
            for index in range(round(part * num_rows)):
                number = index % len(faces)
                face = faces[number]
                row = {
                    "sample_id": f"{subject}_{index}",
                    "subject": subject,
                    "index": index,
                    "gaze_yaw_rad": float(face.gaze[0]),
                    "gaze_pitch_rad": float(face.gaze[1]),
                    **pose_columns(face.head_pose, "dataset"),
                    **landmark_columns(face.eye_landmarks, "dataset"),
                }
                writer.add(encoded[number], row)
    split = {"name": "bench", "source": "bench", "unit": "subject", **PARTS}
    (store_dir / "split.json").write_text(json.dumps(split))
