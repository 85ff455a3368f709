"""GazePose's folder ``data`` as its README draws it, made from an Ego4D-shaped folder."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from common.media.video import read_frames

POINTS = [[0.5, 0.6], [0.65, 0.4], [0.35, 0.4], [0.6, 0.8], [0.4, 0.8]]


class Box(NamedTuple):
    """An annotated face."""

    clip: str
    track: str
    frame: int
    xywh_px: tuple[float, float, float, float]


def write_readme_tree(ego4d_dir: Path, data_dir: Path) -> Path:
    """Lay out what ``small_ego4d`` or the demo wrote (v2/, split/, social_test/) as the README.

    Of its tree there are then csv, json, split and videos; `add_frames`, `add_faces` and
    `add_priors` make the rest. The videos are the clips' own.
    """
    for name in ("csv", "json", "videos"):
        (data_dir / name).mkdir(parents=True)
    for path in (ego4d_dir / "v2" / "annotations").glob("av_*.json"):
        shutil.copy(path, data_dir / "json")
    shutil.copytree(ego4d_dir / "split", data_dir / "split")
    videos = sorted((ego4d_dir / "v2" / "clips").glob("*.mp4"))
    for path in videos:
        shutil.copy(path, data_dir / "videos")
    rows = [f"{path.stem},s3://ego4d/{path.name}" for path in videos]
    manifest = "\n".join(["video_uid,canonical_s3_location", *rows])
    (data_dir / "csv" / "manifest.csv").write_text(manifest)
    if (ego4d_dir / "social_test").is_dir():
        challenge = ego4d_dir / "social_test" / "videos_challenge"
        shutil.copytree(challenge, data_dir.parent / "videos_challenge")
    return data_dir


def add_frames(data_dir: Path) -> None:
    """Write ``video_imgs/<clip>/img_00001.jpg``, as ``extract_frame.sh`` does from 1 on."""
    for path in (data_dir / "videos").glob("*.mp4"):
        folder = data_dir / "video_imgs" / path.stem
        folder.mkdir(parents=True)
        for number, frame in read_frames(path):
            write_image(folder / f"img_{number + 1:05d}.jpg", frame)


def add_faces(data_dir: Path, place: str = "face_imgs") -> None:
    """Cut ``<place>/<clip>/<track>/face_XXXXX.jpg``, 224 x 224, from the videos."""
    for clip in sorted({box.clip for box in boxes(data_dir)}):
        frames = dict(read_frames(data_dir / "videos" / f"{clip}.mp4"))
        for box in boxes(data_dir):
            if box.clip == clip:
                left, top, width, height = (int(max(0, value)) for value in box.xywh_px)
                face = frames[box.frame][top : top + height, left : left + width]
                folder = data_dir / place / clip / box.track
                folder.mkdir(parents=True, exist_ok=True)
                write_image(folder / f"face_{box.frame:05d}.jpg", cv2.resize(face, (224, 224)))


def add_priors(data_dir: Path, part: str, kinds: Sequence[str] = ("mesh", "headpose", "p")) -> None:
    """Write ``json_prior/<part>_<kind>.json`` of every annotated face, made up."""
    found: dict[str, dict[str, Any]] = {"mesh": {}, "headpose": {}, "p": {}}
    for box in boxes(data_dir, part):
        angles = [float(box.frame % 40), -5.0, 2.0, 0, 0, 0]
        found["headpose"][f"{box.clip}:{box.track}:{box.frame}"] = angles
        for kind, value in (("mesh", [[*xy, 0.0, 1.0] for xy in POINTS]), ("p", 0.5)):
            of_track = found[kind].setdefault(box.clip, {}).setdefault(box.track, {})
            of_track[str(box.frame)] = value
    (data_dir / "json_prior").mkdir(exist_ok=True)
    for kind in kinds:
        (data_dir / "json_prior" / f"{part}_{kind}.json").write_text(json.dumps(found[kind]))


def boxes(data_dir: Path, *parts: str) -> Iterator[Box]:
    """Yield the annotated boxes of everybody but the wearer."""
    for part in parts or ("train", "val"):
        videos = json.loads((data_dir / "json" / f"av_{part}.json").read_text())["videos"]
        for clip in (clip for video in videos for clip in video["clips"]):
            for person in clip["persons"]:
                paths = [] if person["person_id"] == "0" else person["tracking_paths"]
                for track in paths:
                    for box in track["track"]:
                        place = (box["x"], box["y"], box["width"], box["height"])
                        yield Box(clip["clip_uid"], track["track_id"], box["frame"], place)


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a picture (H, W, 3) RGB."""
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 98])
