"""Folders in GazeHub's form: coloured faces with labels written by its formulas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from common.media.image_codec import write_image

HEADERS = {
    "mpiifacegaze": "Face Left Right Origin WhichEye 3DGaze 3DHead 2DGaze 2DHead "
    "Rmat Smat GazeOrigin",
    "eyediap": "Face Left Right metapath 3DGaze 3DHead 2DGaze 2DHead Rvec Svec GazeOrigin",
    "gaze360": "Face Left Right Origin 3DGaze 2DGaze",
    "rtgene": "Face Left Right Origin 3DGaze 3DHead 2DGaze 2DHead",
    "eth_xgaze": "face gaze head origin cam_index frame_index normmat",
}
# By set: label files, and in each the folder below Image/ of its faces.
LABELS = {
    "mpiifacegaze": {"p00": "p00/face", "p01": "p01/face", "p02": "p02/face"},
    "eyediap": {"p1": "p1/face", "p2": "p2/face", "p5": "p5/face"},
    "gaze360": {"train": "train/Face", "val": "val/Face", "test": "test/Face"},
    "rtgene": {"train1": "s001_glasses/original/face", "valid": "s014_glasses/original/face"},
    "eth_xgaze": {"train": "subject0003"},
}
SCALE = 1.25  # of MPIIFaceGaze's z


@dataclass
class GazeHubTree:
    """A folder of one set.

    Attributes:
        root: holds Image/ and Label/.
        dataset: whose form it has.
        gaze: viewer's [yaw, pitch] of every face, by label file.
        head: viewer's head pose likewise.
    """

    root: Path
    dataset: str
    gaze: dict[str, np.ndarray] = field(default_factory=dict)
    head: dict[str, np.ndarray] = field(default_factory=dict)

    def label(self, stem: str) -> Path:
        return self.root / "Label" / f"{stem}.label"

    def edit(self, stem: str, old: str, new: str) -> None:
        text = self.label(stem).read_text()
        assert old in text
        self.label(stem).write_text(text.replace(old, new))


def write_gazehub(
    root: Path,
    dataset: str,
    *,
    num_faces: int = 4,
    image: np.ndarray | None = None,
    header: bool = True,
) -> GazeHubTree:
    """Write a small set; faces are noise of their own colour, or all one image."""
    tree = GazeHubTree(root, dataset)
    generator = np.random.default_rng(0)
    (root / "Label").mkdir(parents=True)
    for stem, folder in LABELS[dataset].items():
        gaze = generator.uniform(-0.5, 0.5, (num_faces, 2))
        head = np.column_stack([generator.uniform(-0.4, 0.4, (num_faces, 2)), np.zeros(num_faces)])
        tree.gaze[stem], tree.head[stem] = gaze, head
        lines = [HEADERS[dataset]] if header else []
        for number in range(num_faces):
            name = f"{folder}/{number + 1}.jpg"
            shown = image if image is not None else coloured(stem, number)
            write_image(root / "Image" / name, shown, 95)
            lines.append(_line(dataset, name, gaze[number], head[number]))
        tree.label(stem).write_text("\n".join(lines) + "\n")
    return tree


def coloured(stem: str, number: int) -> np.ndarray:
    """A face image (64, 64, 3): its red tells the number, its blue the file."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[..., 0], image[..., 2] = 40 + 20 * number, 40 + 25 * (sum(map(ord, stem)) % 7)
    return cv2.GaussianBlur(image, (0, 0), 1)


def hub_angles(gaze: np.ndarray) -> np.ndarray:
    """GazeHub's [yaw, pitch] of the viewer's: + is to the image's left there."""
    return np.array([-gaze[0], gaze[1]])


def hub_vector(yaw: float, pitch: float) -> np.ndarray:
    """Facts' inversion of GazeHub's 2D gaze, in OpenCV's camera axes."""
    return np.array([-np.cos(pitch) * np.sin(yaw), -np.sin(pitch), -np.cos(pitch) * np.cos(yaw)])


def _text(values: np.ndarray) -> str:
    return ",".join(repr(float(value)) for value in values)


def _line(dataset: str, face: str, gaze: np.ndarray, head: np.ndarray) -> str:
    yaw, pitch = hub_angles(gaze)
    head_2d = np.array([-head[1], -head[0]])  # where the face points
    vector, head_3d = hub_vector(yaw, pitch), hub_vector(*head_2d)
    if dataset == "gaze360":  # x to the left, y up, z away
        vector = vector * [-1, -1, 1]
    g2, g3, h2, h3 = _text(np.array([yaw, pitch])), _text(vector), _text(head_2d), _text(head_3d)
    number = Path(face).stem
    lines: Mapping[str, list[str]] = {
        "mpiifacegaze": [
            *(face, "l.jpg", "r.jpg", f"day01/{number}.jpg", "left", g3, h3, g2, h2),
            *("0,0,0", f"1.0,1.0,{SCALE}", "0,0,600"),
        ],
        "eyediap": [
            face,
            "l.jpg",
            "r.jpg",
            "1_A_DS_M_1",
            g3,
            h3,
            g2,
            h2,
            "0,0,0",
            "1,1,1",
            "0,0,1",
        ],
        "gaze360": [face, "l.jpg", "r.jpg", f"rec_001/head/000002/{number}.jpg", g3, g2],
        "rtgene": [face, "l.jpg", "r.jpg", face[:4], g3, h3, g2, h2],
        "eth_xgaze": [
            *(face, _text(np.array([pitch, yaw])), _text(head_2d[::-1]), f"x/{number}.jpg"),
            *("0", "0", _text(np.eye(3).reshape(-1))),
        ],
    }
    return " ".join(lines[dataset])
