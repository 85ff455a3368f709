"""How many labelled heads the detectors find in photos, and what it takes.

    python benchmarks/face_detection.py --photos FOLDER
    python benchmarks/face_detection.py --photos FOLDER --half odd --detectors centerface
        --min-face-px 24 --min-face-fraction 0

FOLDER is as `data=contact_photos` has it: a csv image,x1,y1,x2,y2,looking_at_camera with the boxes
of heads, and the photos. A head is found if the centre of a detected box lies in its box; a box is
of one head at most, the best overlaps first. Boxes of no labelled head are counted, too: false
faces, and faces that nobody labelled. Times are one core's, of detection alone. Half of the photos,
by their names' SHA-1, may be kept from what is chosen on the other.
"""

import argparse
import hashlib
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from common.faces.analysis import FaceAnalyzer
from common.faces.settings import AnalyzerSettings
from common.faces.tracking import best_pairs, iou
from common.media.photo import read_photo
from gazepose.readers.photos.contact_photos import ContactPhotosReader
from gazepose.readers.sample import Frame, RawFace

Float = npt.NDArray[np.floating[Any]]
HEIGHTS_PX = (0, 48, 64, 128, np.inf)
HALVES = ("even", "odd")
# A box with its centre in another overlaps it.
ANY_OVERLAP = 1e-9


class Photo(NamedTuple):
    """What a detector did with a photo.

    Attributes:
        heights_px: (N,) of the labelled heads.
        is_found: (N,) bool.
        num_others: boxes that are of none of them.
        seconds: of a core.
        megapixels: its size.
    """

    heights_px: Float
    is_found: npt.NDArray[np.bool_]
    num_others: int
    seconds: float
    megapixels: float


def labelled_heads(folder: Path) -> dict[Path, Float]:
    """Return the boxes (N, 4) xyxy px of each photo's heads, by the photos' paths."""
    reader = ContactPhotosReader(folder, part="test")
    boxes: Mapping[Path, list[Float]] = defaultdict(list)
    for face in _faces(reader):
        assert isinstance(face.image, Frame)
        boxes[face.image.path].append(face.bbox_xyxy_px)
    return {path: np.stack(found) for path, found in sorted(boxes.items())}


def _faces(reader: ContactPhotosReader) -> Iterator[RawFace]:
    for group in reader.groups():
        yield from (face for face in reader.read(group) if isinstance(face, RawFace))


def half_of(path: Path) -> str:
    """Return which half a photo belongs to."""
    return HALVES[int(hashlib.sha1(path.name.encode()).hexdigest(), 16) % 2]


def heads_found(heads: Float, boxes: Float) -> npt.NDArray[np.bool_]:
    """Return which heads (N, 4) a box (M, 4) has its centre in; a box is of one head at most."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    is_inside = (centres >= heads[:, None, :2]) & (centres <= heads[:, None, 2:])
    pairs = best_pairs(np.where(is_inside.all(axis=-1), iou(heads, boxes), 0), ANY_OVERLAP)
    return np.isin(np.arange(len(heads)), list(pairs.values()))


def measured(analyzer: FaceAnalyzer, path: Path, heads: Float) -> Photo:
    """Return how a detector does on a photo."""
    image = read_photo(path).image
    start = time.process_time()
    faces = analyzer.detect(image)
    seconds = time.process_time() - start
    boxes = np.array([face.bbox_xyxy_px for face in faces]).reshape(-1, 4)
    is_found = heads_found(heads, boxes)
    num_others = len(boxes) - int(is_found.sum())
    size = image.shape[0] * image.shape[1] / 1e6
    return Photo(heads[:, 3] - heads[:, 1], is_found, num_others, seconds, size)


def row(name: str, photos: Sequence[Photo]) -> str:
    """Return a detector's line of the table."""
    heights = np.concatenate([photo.heights_px for photo in photos])
    is_missed = ~np.concatenate([photo.is_found for photo in photos])
    seconds, size = (sum(getattr(photo, key) for photo in photos) for key in Photo._fields[3:])
    bins = [
        f"{is_missed[inside].sum()}/{inside.sum()}"
        for low, high in itertools.pairwise(HEIGHTS_PX)
        for inside in [(heights >= low) & (heights < high)]
    ]
    cells = [
        name,
        f"{is_missed.sum()}/{len(heights)}",
        f"{is_missed.mean():.1%}",
        *bins,
        f"{np.mean([photo.num_others for photo in photos]):.2f}",
        f"{seconds / len(photos):.3f}",
        f"{seconds / size:.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table with a line a detector."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--detectors", nargs="+", default=["centerface", "mediapipe"])
    parser.add_argument("--half", choices=HALVES, help="of the photos; both by default")
    defaults = AnalyzerSettings()
    for name in ("min_confidence", "min_face_px", "min_face_fraction"):
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=float, default=getattr(defaults, name))
    chosen = vars(parser.parse_args(arguments))
    folder, detectors, half = (chosen.pop(name) for name in ("photos", "detectors", "half"))
    cv2.setNumThreads(1)
    heads = {
        path: of for path, of in labelled_heads(folder).items() if half in (None, half_of(path))
    }
    bins = "under 48 px | 48-64 | 64-128 | larger"
    print(f"| detector | missed | | {bins} | other boxes a photo | s a photo | s a megapixel |")
    print("|---" * 10 + "|")
    for detector in detectors:
        analyzer = AnalyzerSettings(detector, **chosen).build()
        analyzer.detect(np.zeros((64, 64, 3), np.uint8))  # builds it
        photos = [measured(analyzer, path, of) for path, of in tqdm(heads.items(), leave=False)]
        print(row(detector, photos), flush=True)


if __name__ == "__main__":
    main()
