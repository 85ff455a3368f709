"""Head angles by Hopenet, from its published weights file."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from common.arrays import Float, Image
from common.files.checksums import file_sha256

if TYPE_CHECKING:
    import torch

    from gazepose.nets.hopenet import Hopenet

INPUT_PX = 224
BIN_DEG = 3.0
LOWEST_DEG = -99.0


class HopenetHeadPose:
    """Hopenet on face images, one at a time; a process loads the net where it is first used.

    GazePose feeds the tight face image; Hopenet's authors train on a looser one. The weights are
    its state dict, as ``hopenet_robust_alpha1.pkl``.

    Raises:
        ValueError: If there is no such file.
    """

    def __init__(self, weights: Path) -> None:
        if not weights.is_file():
            raise ValueError(
                f"no Hopenet weights {weights}: download hopenet_robust_alpha1.pkl from "
                "github.com/natanielruiz/deep-head-pose and set "
                "data.preprocessor.preparation.hopenet_weights=FILE, or use "
                "data.preprocessor.preparation.head_pose=mesh"
            )
        self._weights = weights

    def fingerprint(self) -> str:
        """Return the SHA-256 of the weights file; the log says what became of its entries.

        Raises:
            ValueError: If the weights are not Hopenet's: before the first frame, not at each.
        """
        _loaded(self._weights)
        return file_sha256(self._weights)

    def angles_deg(self, image: Image) -> Float:
        """Return (3,) [yaw, pitch, roll] in degrees, -99 to 96, of a face image (H, W, 3) RGB.

        Raises:
            ValueError: If the weights are not Hopenet's.
        """
        # Here because only what runs Hopenet should spend seconds on importing torch.
        import torch

        torch.set_num_threads(1)  # one process a core already
        with torch.inference_mode():
            logits = _loaded(self._weights)(_as_input(image))
        return decoded_angles_deg(np.stack([one[0].numpy() for one in logits]))


def decoded_angles_deg(logits: Float) -> Float:
    """Return the expected angles (...) in degrees of logits (..., 66) over 3-degree bins."""
    logits = np.asarray(logits, np.float64)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    expected = (weights * np.arange(logits.shape[-1])).sum(-1) / weights.sum(-1)
    return np.asarray(expected * BIN_DEG + LOWEST_DEG)


@cache
def _loaded(weights: Path) -> "Hopenet":
    from gazepose.originals.hopenet import load_hopenet

    return load_hopenet(weights)


def _as_input(image: Image) -> "torch.Tensor":
    import torch

    from gazepose.nets.pixels import normalise

    if image.shape[:2] != (INPUT_PX, INPUT_PX):
        image = np.asarray(cv2.resize(image, (INPUT_PX, INPUT_PX)), np.uint8)
    return normalise(torch.from_numpy(image).permute(2, 0, 1)[None])
