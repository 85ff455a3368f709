"""Writes face images and labels in the folder layout of FLAME's README, for the original code."""

import os
import pickle
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from common.arrays import Float, Image
from common.files.atomic import partial_path
from common.store.reading import FaceStore
from flame.nets.heatmaps import render_heatmaps
from flame.readers.metadata import PICKLE_PROTOCOL
from flame.store.labels import GazeLabels

_HEATMAP_BYTES = 28 * 8  # a pixel: 28 channels of float64


@dataclass(frozen=True)
class LayoutSample:
    """One face image with its labels.

    Attributes:
        subject: folder name; for EYEDIAP the session, as in FLAME.
        image: (H, W, 3) uint8 RGB; FLAME's are 480 high and 384 wide.
        landmarks: (112,) eye landmarks in pixels of `image`.
        head_pose: (3,) [pitch, yaw, roll] rad.
        gaze: (2,) [yaw, pitch] rad.
    """

    subject: str
    image: Image
    landmarks: Float
    head_pose: Float
    gaze: Float


def export_layout(
    samples: Iterable[LayoutSample],
    out_dir: Path,
    *,
    heatmaps: bool = True,
    num_samples: int | None = None,
) -> dict[str, int]:
    """Write samples in FLAME's layout; return the number of images by subject.

    A subject's folders and pickles appear when the subject is complete. A heatmap file,
    ``heatmaps/<s>/<k>.npy``, is (H, W, 28) float64: 224 bytes a pixel, 41 MB for a 384 x 480 image.

    Args:
        samples: all samples of one subject, then all of the next; images are numbered from 1 in
            the order they come.
        out_dir: new folder.
        heatmaps: also write heatmaps.
        num_samples: for the progress bar.

    Raises:
        ValueError: If `out_dir` already holds images, or a subject comes back after another one.
    """
    if (out_dir / "images").exists():
        raise ValueError(f"{out_dir} already holds images/; remove it or name a new folder")
    written: dict[str, int] = {}
    with tqdm(samples, total=num_samples, unit="image", desc="export") as bar:
        for subject, group in groupby(bar, key=lambda sample: sample.subject):
            if subject in written:
                raise ValueError(f"subject {subject} comes in two places; sort the samples by it")
            written[subject] = _export_subject(subject, group, out_dir, heatmaps)
    return written


def check_space(out_dir: Path, shape: tuple[int, ...], num_samples: int, *, heatmaps: bool) -> None:
    """Check that the layout of so many images (H, W, 3) fits on the drive of a folder to be.

    Raises:
        ValueError: If it does not.
    """
    height, width = shape[:2]
    bytes_each = height * width * (3 + heatmaps * _HEATMAP_BYTES)
    needed = num_samples * bytes_each
    there = next(path for path in (out_dir, *out_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed <= free:
        return
    advice = "; export_heatmaps=false leaves out what --get_heatmap makes" if heatmaps else ""
    raise ValueError(
        f"{num_samples} images of {bytes_each / 1e6:.1f} MB each take {needed / 1e9:.1f} GB, and "
        f"export_dir={out_dir} has {free / 1e9:.1f} GB left{advice}"
    )


def layout_samples(store: FaceStore) -> Iterator[LayoutSample]:
    """Yield all rows of a store as samples of FLAME's layout, its folders being the groups."""
    labels = GazeLabels.from_table(store.table)
    for row, group in enumerate(store.table["group_name"]):
        yield LayoutSample(
            subject=group,
            image=store.image(row),
            landmarks=labels.landmarks[row],
            head_pose=labels.head_pose[row],
            gaze=labels.gaze[row],
        )


def _export_subject(
    subject: str, samples: Iterable[LayoutSample], out_dir: Path, heatmaps: bool
) -> int:
    labels: dict[str, list[Float]] = {"facial_landmarks_2d": [], "head_pose": [], "gaze_angles": []}
    folders = ["images", "heatmaps"] if heatmaps else ["images"]
    with _new_folders([out_dir / name / subject for name in folders]) as partial_dirs:
        for number, sample in enumerate(samples, start=1):
            np.save(partial_dirs[0] / f"{number}.npy", np.ascontiguousarray(sample.image))
            if heatmaps:
                np.save(partial_dirs[1] / f"{number}.npy", _heatmap(sample))
            labels["facial_landmarks_2d"].append(sample.landmarks)
            labels["head_pose"].append(sample.head_pose)
            labels["gaze_angles"].append(sample.gaze)
    for folder, rows in labels.items():
        with partial_path(out_dir / folder / f"{subject}.pkl") as partial:
            table = np.asarray(rows, dtype=np.float64)
            partial.write_bytes(pickle.dumps(table, protocol=PICKLE_PROTOCOL))
    return len(labels["gaze_angles"])


def _heatmap(sample: LayoutSample) -> Float:
    height, width = sample.image.shape[:2]
    landmarks = torch.from_numpy(np.asarray(sample.landmarks, dtype=np.float64))[None]
    rendered = render_heatmaps(landmarks, height, width)[0]
    return np.ascontiguousarray(rendered.permute(1, 2, 0).numpy(), dtype="<f8")


@contextmanager
def _new_folders(folders: list[Path]) -> Iterator[list[Path]]:
    """Yield hidden folders beside the wanted ones; rename them when the block succeeds."""
    partial_dirs = [folder.with_name(f".{folder.name}.partial") for folder in folders]
    try:
        for partial in partial_dirs:
            partial.mkdir(parents=True)
        yield partial_dirs
        for partial, folder in zip(partial_dirs, folders, strict=True):
            os.replace(partial, folder)
    finally:
        for partial in partial_dirs:
            shutil.rmtree(partial, ignore_errors=True)
