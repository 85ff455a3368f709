"""An exported net in the place of its module: what `PhotoPredictor` asks of one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import torch
from torch import Tensor

from common.files.form import TEXT, Kind, check_form
from common.geometry import GazeFrame
from common.onnx.net import OnnxNet
from flame.batch import NUM_LANDMARKS, GazeBatch
from flame.data.crops import CROP_SIZE_PX
from flame.evaluation.calibration import Calibration, read_calibration

_FRAMES = get_args(GazeFrame)
_FORM = {
    "gaze_frame": Kind(" or ".join(map(repr, _FRAMES)), lambda value: value in _FRAMES),
    "weights_sha256": TEXT,
}


class OnnxGaze:
    """Estimates the gaze of single eyes as the `GazeAngleModule` that was exported.

    Args:
        net: of any of this package's nets.

    Attributes:
        gaze_frame: in which the net was trained.
        device: where batches go.

    Raises:
        ValueError: If it takes or says something else than those do.
    """

    takes_calibration: ClassVar[bool] = True
    device = torch.device("cpu")

    def __init__(self, net: OnnxNet) -> None:
        check_form(net.metadata, _FORM, str(net.path))
        shapes = {"rgb": (None, CROP_SIZE_PX, CROP_SIZE_PX, 3), "head_pose": (None, 3)}
        if "landmarks" in net.shapes:
            shapes["landmarks"] = (None, NUM_LANDMARKS)
        net.check_inputs(shapes)
        self.gaze_frame = net.metadata["gaze_frame"]
        self._net = net
        self._calibration: Calibration | None = None

    def eval(self) -> Self:
        """Return itself: it does not train."""
        return self

    def __call__(self, batch: GazeBatch) -> Tensor:
        """Return gaze (B, 2) in radians."""
        arrays = {
            "rgb": batch["rgb"].movedim(1, -1).numpy(),
            "head_pose": batch["head_pose"].numpy(),
            "landmarks": batch["landmarks"].numpy(),
        }
        gaze = torch.from_numpy(self._net.numbers("gaze", (len(batch["rgb"]), 2), arrays))
        return gaze if self._calibration is None else self._calibration(gaze)

    def calibrate(self, path: Path, trained_on: Mapping[str, Any]) -> None:
        """Take a person's own map of gaze, as `GazeAngleModule.calibrate`."""
        convention = trained_on["recipe"].get("gaze_convention")
        weights = self._net.metadata["weights_sha256"]
        self._calibration = read_calibration(path, weights, convention, self.gaze_frame)
