"""The golden tree in the originals' layout, and a store of it made by the facts' rules alone.

The reader of such trees has tests of its own; here nothing of it is used, so that what the data
module is compared with does not depend on it.
"""

import gzip
import json
import math
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from builders.small_lam import RECIPE, Row
from common.store.writing import GroupWriter, claim_store
from gazepose.readers.face_imgs.baseline_tracks import BaselineTracks
from gazepose.store.columns import BOX_COLUMNS, HEAD_POSE_COLUMNS, POINT_COLUMNS
from gazepose.store.writing import write_frames

GOLDEN_DIR = Path(__file__).parents[1] / "golden" / "gazepose"
# In both lists, in both, and of the challenge.
CLIP_A = "0a1b2c3d-1111-4aaa-8bbb-00000000000a"
CLIP_B = "0a1b2c3d-2222-4ccc-9ddd-00000000000b"
CLIP_C = "0a1b2c3d-3333-4eee-afff-00000000000c"
HEAD_POSE_FILES = {"train": "train_headpose", "val": "val_headpose-all", "test": "test_headpose"}
# Other lengths make the original's unpacking fail, and the pose count as unknown.
HEAD_POSE_LENGTHS = {"train": 6, "val": 6, "test": 3}


def unpack(folder: Path) -> Path:
    """Unpack the tree; return the folder with ``data`` and ``videos_challenge``."""
    with tarfile.open(GOLDEN_DIR / "tiny_ego4d.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "tiny_ego4d"


def expected() -> dict[str, Any]:
    """What the original made of the tree."""
    return json.loads(gzip.decompress((GOLDEN_DIR / "dataset_expected.json.gz").read_bytes()))


def challenge_files(tree: Path, track: str) -> list[Path]:
    """Return the files of a test track, whose names are unique in the tree."""
    (folder,) = (tree / "videos_challenge").glob(f"*/{track}")
    return sorted(folder.iterdir())


def exact_frame(files: list[Path], frame: int) -> Path | None:
    """Return the file of a frame number."""
    return next((path for path in files if int(path.name.split("_")[0]) == frame), None)


def is_misled(tree: Path, item: dict[str, Any]) -> bool:
    """Whether the original's search by substring takes another file than the frame's."""
    files = challenge_files(tree, item["track"])
    centre = int(item["frame_id"])
    return any(
        next((path for path in files if str(i).zfill(5) in path.name), None)
        != exact_frame(files, i)
        for i in range(centre - 3, centre + 4)
    )


def write_golden_store(tree: Path, store_dir: Path) -> None:
    """Write the tree's train, val and test parts as one store."""
    for part in ("train", "val"):
        tracks = BaselineTracks(tree / "data")
        for uid in tracks.clips(part):
            with GroupWriter(store_dir, f"{part}.{uid}") as writer:
                for image, row in labelled_rows(tree / "data", part, uid, tracks):
                    writer.add(image, row)
    for folder in sorted((tree / "videos_challenge").iterdir()):
        with GroupWriter(store_dir, f"test.{folder.name}") as writer:
            for image, row in challenge_rows(tree / "data", folder):
                writer.add(image, row)
    claim_store(store_dir, RECIPE)
    write_frames(store_dir, 1)


def labelled_rows(
    data_dir: Path, part: str, uid: str, tracks: BaselineTracks
) -> Iterator[tuple[bytes, Row]]:
    """Yield image and row of every frame of a clip."""
    priors = read_priors(data_dir, part)
    for track in tracks.tracks(uid)[0]:
        for index, frame in enumerate(track.frames.tolist()):
            path = data_dir / "face_imgs" / uid / track.track_id / f"face_{frame:05d}.jpg"
            key = f"{uid}:{track.track_id}:{frame}"
            row = {
                "label": int(track.labels[index]),
                **dict(zip(BOX_COLUMNS, track.boxes_xyxy_px[index].tolist(), strict=True)),
                "is_interpolated": bool(track.is_interpolated[index]),
                "is_filtered": is_filtered(priors["filter"].get(key)),
                **prior_columns(priors, part, (uid, track.track_id, str(frame)), key),
            }
            image = path.read_bytes() if path.is_file() else b""
            yield image, named(row, part, track.track_id, frame, index, track.person_id, "")


def challenge_rows(data_dir: Path, folder: Path) -> Iterator[tuple[bytes, Row]]:
    """Yield image and row of every face of a test clip."""
    priors = read_priors(data_dir, "test")
    for track_dir in sorted(folder.iterdir()):
        faces = sorted((int(p.name.split("_")[0]), p) for p in track_dir.iterdir())
        for index, (frame, path) in enumerate(faces):
            name, unique_id = path.stem.split("_", 1)
            key = f"{folder.name}:{track_dir.name}:{unique_id}:{name}"
            row = {
                "label": -1,
                **dict.fromkeys(BOX_COLUMNS, math.nan),
                "is_interpolated": False,
                "is_filtered": False,
                **prior_columns(priors, "test", (folder.name, track_dir.name, unique_id), key),
            }
            yield (
                path.read_bytes(),
                named(row, "test", track_dir.name, frame, index, "", unique_id),
            )


def named(
    row: Row, part: str, track: str, frame: int, index: int, person: str, unique_id: str
) -> Row:
    """Add what names a row."""
    names = {"part": part, "track_id": track, "person_id": person, "unique_id": unique_id}
    return {**names, "frame": frame, "track_index": index, "sharpness": 1.0, **row}


def read_priors(data_dir: Path, part: str) -> dict[str, Any]:
    """Read the prior files of a part."""

    def read(name: str) -> Any:
        path = data_dir / "json_prior" / f"{name}.json"
        return json.loads(path.read_text()) if path.is_file() else {}

    return {
        "mesh": read(f"{part}_mesh"),
        "p": read(f"{part}_p"),
        "head_pose": read(HEAD_POSE_FILES[part]),
        "filter": read(f"{part}_filter_all"),
    }


def prior_columns(priors: dict[str, Any], part: str, path: tuple[str, ...], key: str) -> Row:
    """Return the columns that prior files fill."""
    pose = priors["head_pose"].get(key, [])
    pose = pose[:3] if len(pose) == HEAD_POSE_LENGTHS[part] else [math.nan] * 3
    points = nested(priors["mesh"], path)
    xys = np.full((5, 3), np.nan) if not points else np.array(points)[:, [0, 1, 3]]
    p = nested(priors["p"], path)
    return {
        **dict(zip(HEAD_POSE_COLUMNS, map(float, pose), strict=True)),
        "head_pose_source": "prior",
        **dict(zip(POINT_COLUMNS, xys.reshape(-1).tolist(), strict=True)),
        "landmark_source": "prior",
        "prior_sharpness_p": math.nan if p is None else float(p),
    }


def nested(values: Any, path: tuple[str, ...]) -> Any:
    """Return ``values[path[0]][path[1]]...``, None where a key is missing."""
    for name in path:
        values = None if values is None else values.get(name)
    return values


def is_filtered(entry: dict[str, Any] | None) -> bool:
    """Whether the published filter drops the frame as a keyframe."""
    return entry is not None and entry["array"][entry["max_index"]] <= 0
