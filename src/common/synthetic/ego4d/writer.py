"""Writing clips of invented people as a raw folder shaped like Ego4D's, Looking At Me."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2

from common.files.atomic import write_text_atomically
from common.media.video_writer import write_video
from common.synthetic.ego4d.annotations import FILE_NAMES, annotation_file
from common.synthetic.ego4d.challenge import missing_crops, write_missing_crops
from common.synthetic.ego4d.film import film
from common.synthetic.ego4d.plan import FPS_HZ, PARTS, ClipPlan, Ego4dPlan
from common.synthetic.ego4d.scene import Scene, stage
from common.synthetic.ego4d.truth import TRUTH_FILE, truth
from common.synthetic.raw_folder import claim_folder, write_all

CLIP_FOLDER, ANNOTATION_FOLDER = Path("v2", "clips"), Path("v2", "annotations")
SPLIT_FOLDER = Path("split")
# Raised when the same arguments give other videos or labels than before.
FILM_VERSION = 3
VIDEO_QUALITY, VIDEO_PRESET = 22, "veryfast"


def write_ego4d(
    raw_dir: Path | str,
    *,
    num_train_clips: int,
    num_val_clips: int,
    num_test_clips: int,
    num_frames: int = 90,
    image_size: Sequence[int] = (960, 540),
    looking_angle_deg: float = 7.0,
    looking_share: float = 0.25,
    seed: int = 0,
    num_workers: int = 0,
) -> Path:
    """Write egocentric clips of invented people in Ego4D's folders and formats; resumable.

    Two or three people at 0.6 to 2.2 m look at the camera, at each other and elsewhere, before
    a camera on a moving head. Nobody appears in two clips. Under `raw_dir`:

    - ``v2/clips/<clip_uid>.mp4``, 30 frames a second;
    - ``v2/annotations/av_train.json``, ``av_val.json``, ``av_test_unannotated.json``;
    - ``split/{train,val,test}.list``, the last line without newline, as released;
    - ``social_test/videos_challenge/<clip_uid>/<track_id>/<frame>_<unique_id>.jpg`` (test);
    - ``truth.json``: gaze, head and label of everybody in every frame, and the test labels;
    - ``demo.json``: the arguments.

    Somebody looks at the camera where the gaze passes it by no more than `looking_angle_deg`,
    seen from between the eyes, and the eyes are open. What is there already is kept. The bytes
    depend on the arguments only, not on `num_workers`.

    Args:
        raw_dir: folder to write into; made if absent.
        num_train_clips: clips with public labels, to train on.
        num_val_clips: clips with public labels, to validate on.
        num_test_clips: clips of which only face crops are public.
        num_frames: frames of each clip.
        image_size: (width, height) in pixels, even.
        looking_angle_deg: the angle of the label rule, 3 to 10.
        looking_share: about the share of frames in which a person looks at the camera; every fourth
            person faces something else throughout and has none.
        seed: decides everything.
        num_workers: processes; 0 works in this one.

    Returns:
        `raw_dir`.

    Raises:
        ValueError: the folder holds other data, or the arguments make no sense.
    """
    plan = Ego4dPlan(
        num_train_clips=num_train_clips,
        num_val_clips=num_val_clips,
        num_test_clips=num_test_clips,
        num_frames=num_frames,
        image_size=(int(image_size[0]), int(image_size[1])),
        looking_angle_deg=float(looking_angle_deg),
        looking_share=float(looking_share),
        seed=seed,
    )
    plan.check()
    raw_dir = Path(raw_dir)
    claim_folder(raw_dir, "v2", plan, film_version=FILM_VERSION)
    scenes = [stage(plan, clip) for clip in plan.clips()]
    missing = [(raw_dir, plan, clip) for clip in _unfinished(raw_dir, scenes)]
    write_all(write_clip, missing, num_workers, of="clip")
    _write_texts(raw_dir, plan, scenes)
    return raw_dir


def _unfinished(raw_dir: Path, scenes: list[Scene]) -> list[ClipPlan]:
    """Return the clips whose video or whose crops are not all there."""
    return [
        scene.clip
        for scene in scenes
        if not _video_path(raw_dir, scene.clip).exists()
        or (scene.clip.part == "test" and missing_crops(raw_dir, scene))
    ]


def write_clip(raw_dir: Path, plan: Ego4dPlan, clip: ClipPlan) -> None:
    """Film one clip if it is not there; cut its crops too if it is a test clip."""
    # Processes share the cores between them already.
    cv2.setNumThreads(1)
    scene, path = stage(plan, clip), _video_path(raw_dir, clip)
    if not path.exists():
        write_video(
            path,
            film(scene, plan.image_size),
            FPS_HZ,
            quality=VIDEO_QUALITY,
            preset=VIDEO_PRESET,
            is_reproducible=True,
        )
    if clip.part == "test":
        write_missing_crops(raw_dir, scene, path)


def _video_path(raw_dir: Path, clip: ClipPlan) -> Path:
    return raw_dir / CLIP_FOLDER / f"{clip.clip_uid}.mp4"


def _write_texts(raw_dir: Path, plan: Ego4dPlan, scenes: list[Scene]) -> None:
    """Write annotations, split lists and truth where they are missing."""
    for part in PARTS:
        of_part = [scene for scene in scenes if scene.clip.part == part]
        file = raw_dir / ANNOTATION_FOLDER / FILE_NAMES[part]
        if not file.exists():
            write_text_atomically(file, json.dumps(annotation_file(plan, part, of_part)))
        uids = "\n".join(scene.clip.clip_uid for scene in of_part)
        split = raw_dir / SPLIT_FOLDER / f"{part}.list"
        if not split.exists():
            write_text_atomically(split, uids)
    if not (raw_dir / TRUTH_FILE).exists():
        write_text_atomically(raw_dir / TRUTH_FILE, json.dumps(truth(plan, scenes)))
