"""Rows of a face store as eye crops."""

from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import Dataset

from common.arrays import Array
from common.media.photometric import PhotometricAugmentation
from common.store.reading import FaceStore
from flame.batch import LEFT, RIGHT, GazeBatch
from flame.data.augmentation import Eye, EyeAugmentation
from flame.data.crops import Side, crop_eye
from flame.store.labels import GazeLabels

_SIDES: dict[int, Side] = {RIGHT: "right", LEFT: "left"}


class EyeDataset(Dataset[GazeBatch]):
    """Eye crops of a face store; indexed by (row, eye, draw seed) from `EyeSampler`.

    Args:
        store: of face images.
        labels: of all its rows.
        augmentation: of where things are, in training; None leaves them.
        photometric: of how they look, in training; None shows them as photographed.
    """

    def __init__(
        self,
        store: FaceStore,
        labels: GazeLabels,
        augmentation: EyeAugmentation | None = None,
        photometric: PhotometricAugmentation | None = None,
    ) -> None:
        self._store = store
        self._labels = labels
        self._augmentation = augmentation
        self._photometric = photometric

    def __getitem__(self, key: tuple[int, int, int]) -> GazeBatch:
        row, number, seed = key
        eye, generator = self._eye(row, number), np.random.default_rng(seed)
        if self._augmentation is not None:
            eye = self._augmentation(eye, generator)
        look: Array | None = None
        if self._photometric is not None:
            image, look = self._photometric(eye.image, generator)
            eye = replace(eye, image=image)
        sample = GazeBatch(
            rgb=torch.from_numpy(np.ascontiguousarray(eye.image.transpose(2, 0, 1))),
            landmarks=torch.from_numpy(eye.landmarks.astype(np.float32)),
            head_pose=torch.from_numpy(eye.head_pose),
            gaze=torch.from_numpy(eye.gaze),
            row=torch.tensor(row),
            eye=torch.tensor(eye.eye),
        )
        if look is not None:
            sample["look"] = torch.from_numpy(look)
        return sample

    def _eye(self, row: int, number: int) -> Eye:
        labels, side = self._labels, _SIDES[number]
        crop, landmarks = crop_eye(self._store.image(row), labels.landmarks[row], side)
        return Eye(crop, landmarks, labels.head_pose[row], labels.gaze[row], number)
