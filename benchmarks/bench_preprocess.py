"""Preprocessing speed by stage, of one core.

Run after ``python preprocess.py data=demo_lam``, or on any video::

    python benchmarks/bench_preprocess.py [--raw-dir data/demo_lam] [--video party.mp4] [--hopenet]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from common.faces.head_pose import head_pose_from_mesh
from common.faces.mediapipe.mesh import FaceMesh
from common.faces.mediapipe.pose import BodyPose
from common.media.image_codec import encode_image
from common.media.video import read_frames
from common.store.skipped import Skipped
from gazepose.preprocessing.clip_faces import clip_faces
from gazepose.preprocessing.face_image import face_window, sharpness
from gazepose.preprocessing.head_angles import hopenet_angles_deg
from gazepose.preprocessing.hopenet import HopenetHeadPose
from gazepose.preprocessing.preparation import PreparationSettings, Preparer
from gazepose.readers.clip import Clip
from gazepose.readers.ego4d.reader import Ego4DReader
from gazepose.readers.own_videos import VideosReader

SIDE_PX = 224
QUALITY = 95
ROUNDS = 3
# Facts: one face image, one thread.
FACTS_MS = {"mesh": 5.4, "pose": 31.0}


def main(given: Sequence[str] | None = None) -> None:
    """Print one table."""
    arguments = _arguments(given)
    cv2.setNumThreads(1)
    clip = _clip(arguments)
    if not clip.tracks:
        raise SystemExit(f"no face in {clip.video_path}: name another video")
    frames = dict(read_frames(clip.video_path, _first_frames(clip, arguments.frames)))
    faces = list(_boxes(clip, frames))[: arguments.faces]
    height, width = faces[0][0].shape[:2]
    lines = [
        f"{clip.video_path.name}: {width} x {height}, {len(frames)} frames, {len(faces)} faces",
        f"decode, a frame: {_decode_ms(clip, len(frames)):7.2f} ms",
    ]
    lines += _stage_lines(faces, arguments.hopenet)
    lines += [
        _whole_line(clip, PreparationSettings(landmarks=source)) for source in ("mesh", "pose")
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw-dir", type=Path, default=Path("data/demo_lam"))
    parser.add_argument("--video", type=Path, help="faces of any video instead, as detected")
    parser.add_argument("--frames", type=int, default=60, help="frames with faces to decode")
    parser.add_argument("--faces", type=int, default=100, help="faces a stage is timed on")
    parser.add_argument("--hopenet", action="store_true", help="time Hopenet too, weights random")
    arguments = parser.parse_args(given)
    if arguments.video is None and not arguments.raw_dir.is_dir():
        parser.error(
            f"no folder {arguments.raw_dir}: type python preprocess.py data=demo_lam first, or "
            "name an Ego4D folder with --raw-dir, or a video with --video"
        )
    return arguments


def _clip(arguments: argparse.Namespace) -> Clip:
    """Return the given video, or the clip of the folder that has most faces."""
    if arguments.video is not None:
        reader = VideosReader(arguments.video)
        return reader.clip(reader.groups()[0])
    ego4d = Ego4DReader(arguments.raw_dir, parts=["train", "val"])
    return ego4d.clip(max(ego4d.groups(), key=ego4d.count))


def _first_frames(clip: Clip, num_frames: int) -> set[int]:
    numbers = np.unique(np.concatenate([track.frames for track in clip.tracks]))
    return set((numbers[:num_frames] + clip.first_video_frame).tolist())


def _boxes(clip: Clip, frames: dict[int, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the frame and the box of every face in it that has pixels."""
    for track in clip.tracks:
        for number, box in zip(track.frames.tolist(), track.boxes_xyxy_px, strict=True):
            frame = frames.get(number + clip.first_video_frame)
            if frame is not None and face_window(box, frame.shape, 0.0) is not None:
                yield frame, box


def _decode_ms(clip: Clip, num_frames: int) -> float:
    start = time.process_time()
    num_read = 0
    for num_read, _ in enumerate(read_frames(clip.video_path), start=1):
        if num_read == num_frames:
            break
    return 1000 * (time.process_time() - start) / num_read


def _stage_lines(faces: list[tuple[Any, Any]], with_hopenet: bool) -> list[str]:
    mesh, pose = FaceMesh(), BodyPose()
    windows = [face_window(box, frame.shape, 0.0) for frame, box in faces]
    images = [window.cut(frame, SIDE_PX) for window, (frame, _) in zip(windows, faces, strict=True)]
    meshes = [mesh.landmarks(frame, box) for frame, box in faces]
    found = [one for one in meshes if one is not None]
    stages: list[tuple[str, Callable[[Any], Any], list[Any]]] = [
        ("crop", lambda i: windows[i].cut(faces[i][0], SIDE_PX), list(range(len(faces)))),
        ("sharpness", sharpness, images),
        ("encode", lambda image: encode_image(image, "jpeg", QUALITY), images),
        ("mesh", lambda face: mesh.landmarks(*face), faces),
        ("pose", pose.landmarks, images),
        ("head pose", lambda one: hopenet_angles_deg(head_pose_from_mesh(one).head_pose), found),
    ]
    lines = [_stage_line(name, _best_ms(work, items)) for name, work, items in stages]
    if with_hopenet:
        lines.append(_stage_line("Hopenet", _hopenet_ms(images)))
    return [*lines, f"the mesh is found in {len(found)} of {len(faces)} faces"]


def _best_ms(work: Callable[[Any], Any], items: list[Any]) -> float:
    """Return milliseconds of processor time an item: neighbours can only make it slower."""
    work(items[0])
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for item in items:
            work(item)
        times.append(time.process_time() - start)
    return 1000 * min(times) / len(items)


def _hopenet_ms(images: list[Any]) -> float:
    # Here because nothing else in this process needs torch.
    import torch

    from gazepose.nets.hopenet import Hopenet

    state = Hopenet().state_dict()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "hopenet.pkl")
        torch.save({key.removeprefix("trunk."): value for key, value in state.items()}, path)
        return _best_ms(HopenetHeadPose(path).angles_deg, images[:20])


def _stage_line(name: str, milliseconds: float) -> str:
    facts = f"; facts {FACTS_MS[name]} ms" if name in FACTS_MS else ""
    return f"{name + ', a face:':16} {milliseconds:7.2f} ms {1000 / milliseconds:8,.0f}/s{facts}"


def _whole_line(clip: Clip, preparation: PreparationSettings) -> str:
    preparer = preparation.build()
    _num_faces(_shortened(clip, 1), preparer)  # builds the graphs
    start = time.process_time()
    num = _num_faces(_shortened(clip, 60), preparer)
    seconds = time.process_time() - start
    what = f"landmarks={preparation.landmarks}, head_pose={preparation.head_pose}"
    return f"all of it, {what}: {num / seconds:.1f} faces/s/core ({num} faces)"


def _num_faces(clip: Clip, preparer: Preparer) -> int:
    """Measure a clip's faces; return how many there are."""
    items = clip_faces(clip.rows(), preparer, lambda: None)
    return sum(not isinstance(item, Skipped) and item[1] is not None for item in items)


def _shortened(clip: Clip, num_frames: int) -> Clip:
    tracks = tuple(
        replace(
            track,
            frames=track.frames[:num_frames],
            boxes_xyxy_px=track.boxes_xyxy_px[:num_frames],
            is_interpolated=track.is_interpolated[:num_frames],
            labels=track.labels[:num_frames],
        )
        for track in clip.tracks
    )
    return replace(clip, tracks=tracks)


if __name__ == "__main__":
    main()
