"""The test set's face crops as the challenge hands them out: `videos_challenge/<uid>/<track>/`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
import numpy as np

from common.arrays import Float, Image
from common.media.image_codec import write_image
from common.media.video import read_frames
from common.synthetic.ego4d.scene import Scene
from common.synthetic.ego4d.tracks import annotate_tracks

CHALLENGE_FOLDER = Path("social_test", "videos_challenge")
CROP_PX, JPEG_QUALITY = 224, 95
UNIQUE_ID_STREAM = 16


@dataclass(frozen=True)
class TestFace:
    """One crop of the test set; whose face and where (4,) it is, the challenge does not tell."""

    __test__ = False

    track_id: str
    frame: int
    unique_id: str
    person_id: str
    bbox_xyxy_px: Float

    @property
    def file(self) -> Path:
        """Path of the crop inside its clip's folder."""
        return Path(self.track_id, f"{self.frame:05d}_{self.unique_id}.jpg")


def list_test_faces(scene: Scene) -> list[TestFace]:
    """Return the crops of a test clip: every box that has an extent inside the image."""
    rng = np.random.default_rng([UNIQUE_ID_STREAM, *scene.clip.entropy])
    return [
        TestFace(track.track_id, int(frame), _unique_id(rng), track.person_id, box)
        for track in annotate_tracks(scene)
        for frame, box in zip(track.frames, track.boxes_xyxy_px, strict=True)
        if box[2] > box[0]
    ]


def missing_crops(raw_dir: Path, scene: Scene) -> list[TestFace]:
    """Return the crops of a test clip that are not there yet."""
    folder = _folder(raw_dir, scene)
    return [face for face in list_test_faces(scene) if not (folder / face.file).exists()]


def write_missing_crops(raw_dir: Path, scene: Scene, video: Path) -> None:
    """Cut the missing crops of a test clip from its video."""
    by_frame: dict[int, list[TestFace]] = {}
    for face in missing_crops(raw_dir, scene):
        by_frame.setdefault(face.frame, []).append(face)
    for frame, image in read_frames(video, by_frame):
        for face in by_frame[frame]:
            _write_crop(_folder(raw_dir, scene) / face.file, image, face.bbox_xyxy_px)


def _folder(raw_dir: Path, scene: Scene) -> Path:
    return raw_dir / CHALLENGE_FOLDER / scene.clip.clip_uid


def _write_crop(path: Path, image: Image, bbox_xyxy_px: Float) -> None:
    crop = cv2.resize(_cut(image, bbox_xyxy_px), (CROP_PX, CROP_PX))
    write_image(path, crop, JPEG_QUALITY)


def _cut(image: Image, bbox_xyxy_px: Float) -> Image:
    """Return the part of a box that lies in the image."""
    height, width = image.shape[:2]
    x0, y0 = np.maximum(bbox_xyxy_px[:2], 0).astype(int)
    x1, y1 = np.minimum(bbox_xyxy_px[2:], [width, height]).astype(int)
    return image[y0:y1, x0:x1]


def _unique_id(rng: np.random.Generator) -> str:
    return str(UUID(bytes=rng.bytes(16), version=4))


def truth_rows(scene: Scene, looking_angle_deg: float) -> Iterator[dict[str, Any]]:
    """Yield the hidden label of every crop of a test clip."""
    looks = {
        actor.person_id: actor.performance.is_looking(looking_angle_deg) for actor in scene.actors
    }
    for face in list_test_faces(scene):
        yield {
            "video_id": scene.clip.clip_uid,
            "track_id": face.track_id,
            "unique_id": face.unique_id,
            "frame": face.frame,
            "label": int(looks[face.person_id][face.frame]),
        }
