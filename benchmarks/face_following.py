"""Whether faces that are followed are those that a search of every frame finds.

    python benchmarks/face_following.py party.mp4 street.mov
    python benchmarks/face_following.py party.mp4 --detector mediapipe --least 0.7 --sheets FOLDER

Faces of both ways are of tracks that count (`TrackingSettings`; `--least` is another
`min_peak_confidence`), and one face if their boxes overlap by half (intersection over union);
overlaps are the median and what 95 % exceed. A track's number has changed where its face was
another one's in the other way before. Jumps are changes of a box's size over its mesh's from one
frame to the next, median and what 5 % exceed. Which tracks are no faces at all, nobody has
labelled: `--sheets` writes some pictures of each to look at.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from common.faces.cropping import padded_square
from common.faces.following import FaceFollower, FollowingSettings
from common.faces.found_faces import FoundFace, place
from common.faces.settings import DETECTORS, AnalyzerSettings
from common.faces.tracking import TrackingSettings, best_pairs, iou
from common.media.image_codec import write_image
from common.media.video import read_timed_frames

Float = npt.NDArray[np.floating[Any]]
# By frame.
Faces = dict[int, list[FoundFace]]
SAME_FACE_IOU = 0.5
WAYS = {"searched": 1, "followed": FollowingSettings().detect_every}
_SHOWN, _SHOWN_PX = 8, 112


class Found(NamedTuple):
    """The faces of a video, of all tracks, and the processor time of reading and finding them."""

    faces: Faces
    seconds: float


def found_faces(path: Path, detector: str, detect_every: int) -> Found:
    """Return the faces of a video."""
    analyzer = AnalyzerSettings(detector).build()
    analyzer.detect(np.zeros((64, 64, 3), np.uint8))  # builds it
    follower = FaceFollower(analyzer, TrackingSettings(), FollowingSettings(detect_every))
    start = time.process_time()
    found = follower.follow(read_timed_frames(path))
    faces = {seen.frame.number: seen.faces for seen in found}
    return Found(faces, time.process_time() - start)


def of_tracks_that_count(faces: Faces, tracking: TrackingSettings) -> Faces:
    """Return the faces whose tracks are long and sure enough."""
    tracks = by_track(faces)
    counts = {
        number
        for number, seen in tracks.items()
        if len(seen) >= tracking.min_length and peak(seen) >= tracking.min_peak_confidence
    }
    return {
        frame: [face for face in found if face.track in counts] for frame, found in faces.items()
    }


def by_track(faces: Faces) -> dict[int, dict[int, FoundFace]]:
    """Return each track's faces by frame."""
    tracks: dict[int, dict[int, FoundFace]] = defaultdict(dict)
    for frame, found in faces.items():
        for face in found:
            tracks[face.track][frame] = face
    return dict(tracks)


def peak(seen: Mapping[int, FoundFace]) -> float:
    """Return the greatest confidence of a track's faces."""
    return max(face.confidence for face in seen.values())


class Agreement(NamedTuple):
    """How the faces of two ways agree.

    Attributes:
        num: faces by who found them: ``both``, ``searched`` or ``followed`` alone.
        overlaps: (N,) of those that both found.
        num_changes: of a followed track's number along a searched one's faces.
    """

    num: Counter[str]
    overlaps: Float
    num_changes: int


def agreement(searched: Faces, followed: Faces) -> Agreement:
    """Return how the faces of two ways agree."""
    num: Counter[str] = Counter()
    overlaps: list[float] = []
    others: dict[int, list[int]] = defaultdict(list)
    for frame, found in searched.items():
        boxes, other_boxes = (
            np.array([face.bbox_xyxy_px for face in some]).reshape(-1, 4)
            for some in (found, followed[frame])
        )
        found_iou = iou(boxes, other_boxes)
        pairs = best_pairs(found_iou, SAME_FACE_IOU)
        num["both"] += len(pairs)
        num["searched"] += len(boxes) - len(pairs)
        num["followed"] += len(other_boxes) - len(pairs)
        for column, row in pairs.items():
            overlaps.append(float(found_iou[row, column]))
            others[found[row].track].append(followed[frame][column].track)
    changes = [int(np.count_nonzero(np.diff(numbers))) for numbers in others.values()]
    return Agreement(num, np.array(overlaps), sum(changes))


def jumps(faces: Faces) -> Float:
    """Return by which part boxes grow or shrink over their meshes, from each face to the next."""
    found = []
    for seen in by_track(faces).values():
        sizes = [_size_over_mesh(face) for face in seen.values() if face.mesh is not None]
        found.append(np.abs(np.diff(np.log(sizes))))
    return np.concatenate([*found, []])


def _size_over_mesh(face: FoundFace) -> float:
    assert face.mesh is not None
    low, high = face.bbox_xyxy_px.reshape(2, 2)
    return float(np.sqrt(np.prod(high - low))) / place(face.mesh)[1]


def write_sheets(path: Path, faces: Faces, name: str, folder: Path) -> None:
    """Write pictures of each track, the surest first: its number, peak and count, then frames."""
    tracks = by_track(faces)
    order = sorted(tracks, key=lambda number: -peak(tracks[number]))
    places = {
        number: np.linspace(0, len(tracks[number]) - 1, _SHOWN, dtype=int) for number in order
    }
    wanted = {number: [sorted(tracks[number])[i] for i in places[number]] for number in order}
    rows = {number: [_words(number, tracks[number])] for number in order}
    for frame in read_timed_frames(path):
        for number in order:
            for _ in range(wanted[number].count(frame.number)):
                rows[number].append(_shown(frame.image, tracks[number][frame.number]))
    if rows:
        sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows.values()])
        write_image(folder / f"{path.stem}_{name}.jpg", sheet, 85)


def _words(number: int, seen: dict[int, FoundFace]) -> npt.NDArray[np.uint8]:
    image = np.full((_SHOWN_PX, _SHOWN_PX, 3), 255, np.uint8)
    words = (f"track {number}", f"peak {peak(seen):.3f}", f"{len(seen)} frames")
    for line, text in enumerate(words):
        cv2.putText(image, text, (4, 30 + 28 * line), cv2.FONT_HERSHEY_PLAIN, 1, (0, 0, 0))
    return image


def _shown(image: npt.NDArray[np.uint8], face: FoundFace) -> npt.NDArray[np.uint8]:
    """Return a face with its box and twice of what is around it."""
    low, high = face.bbox_xyxy_px.reshape(2, 2)
    side = max(2, round(2 * float(max(high - low))))
    x0, y0 = (round(float(value)) for value in (low + high - side) / 2)
    window = padded_square(image, x0, y0, side).copy()
    corners = [tuple(round(value) for value in corner - (x0, y0)) for corner in (low, high)]
    cv2.rectangle(window, *corners, (255, 0, 0), max(1, side // 100))
    return cv2.resize(window, (_SHOWN_PX, _SHOWN_PX), interpolation=cv2.INTER_AREA)


def row(name: str, found: Mapping[str, Found], tracking: TrackingSettings) -> str:
    """Return a line of the table: a video's, or of all of them."""
    counting = [of_tracks_that_count(way.faces, tracking) for way in found.values()]
    agreed = agreement(*counting)
    cells = [
        *(name, len(counting[0]), *(agreed.num[key] for key in ("both", *WAYS))),
        *(_percentiles(agreed.overlaps, 50, 5), agreed.num_changes),
        *(len(by_track(faces)) for faces in counting),
        *(_percentiles(100 * jumps(faces), 50, 95) for faces in counting),
        *(f"{1000 * way.seconds / len(way.faces):.1f}" for way in found.values()),
    ]
    return f"| {' | '.join(map(str, cells))} |"


def pooled(videos: Sequence[Found]) -> Found:
    """Return the frames of several videos as those of one."""
    faces: Faces = {}
    for video in videos:
        first_frame, first_track = (
            max(known, default=-1) + 1 for known in (faces, by_track(faces))
        )
        for frame, seen in video.faces.items():
            moved = [replace(face, track=first_track + face.track) for face in seen]
            faces[first_frame + frame] = moved
    return Found(faces, sum(video.seconds for video in videos))


def _percentiles(values: Float, *parts: int) -> str:
    return ", ".join(f"{np.percentile(values, part):.2f}" for part in parts if len(values))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table with a line a video."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--detector", choices=DETECTORS, default=AnalyzerSettings().detector)
    parser.add_argument("--least", type=float, default=TrackingSettings().min_peak_confidence)
    parser.add_argument("--sheets", type=Path, help="a folder for pictures of all tracks")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    tracking = TrackingSettings(min_peak_confidence=given.least)
    of_both = [f"{what} {way}" for what in ("tracks", "jumps, %", "ms a frame") for way in WAYS]
    columns = ("video", "frames", "both", *(f"{way} alone" for way in WAYS), "overlap", "changes")
    print(f"| {' | '.join((*columns, *of_both))} |")
    print("|---" * len((*columns, *of_both)) + "|")
    seen = []
    for path in given.videos:
        found = {name: found_faces(path, given.detector, every) for name, every in WAYS.items()}
        seen.append(found)
        print(row(path.name, found, tracking), flush=True)
        for name, way in found.items() if given.sheets else ():
            write_sheets(path, way.faces, name, given.sheets)
    whole = {name: pooled([found[name] for found in seen]) for name in WAYS}
    print(row("all", whole, tracking))


if __name__ == "__main__":
    main()
