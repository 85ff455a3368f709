"""An exported net in the place of its module: what `VideoPredictor` asks of one."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from common.files.form import TEXT, Kind, Maybe, check_form
from common.onnx.net import OnnxNet
from gazepose.batch import NUM_FRAMES
from gazepose.evaluation.threshold import Threshold
from gazepose.nets.parts import FrameFeatures
from gazepose.priors import LARGEST_DEG, NUM_POINTS


def _is_from_0_to(most: float) -> Kind:
    def accepts(value: Any) -> bool:
        return isinstance(value, int | float) and 0 <= value <= most

    return Kind(f"a number from 0 to {most:g}", accepts)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


_FORM = {
    "threshold": Maybe({"value": _is_from_0_to(1), "rule": TEXT}),
    "head_bin_deg": _is_from_0_to(LARGEST_DEG),
    "annotator": {
        "image_size": Kind("a whole number", lambda value: isinstance(value, int)),
        "trained_ranking": Maybe(Kind("two numbers", _is_pair)),
    },
}


class OnnxEyeContact:
    """Scores clips as the `EyeContactModule` that was exported.

    Args:
        net: of any of this package's nets of eye contact.

    Attributes:
        uses_head: whether it asks for head poses.
        uses_landmarks: whether it asks for landmarks.
        threshold: as the module's.
        device: where batches go.

    Raises:
        ValueError: If it takes or says something else than those do.
    """

    takes_calibration: ClassVar[bool] = False
    device = torch.device("cpu")

    def __init__(self, net: OnnxNet) -> None:
        check_form(net.metadata, _FORM, str(net.path))
        size = net.metadata["annotator"]["image_size"]
        shapes: dict[str, tuple[int | None, ...]] = {
            "frames": (None, size, size, 3),
            "windows": (None, NUM_FRAMES),
        }
        self.uses_head = "head_pose_deg" in net.shapes
        self.uses_landmarks = "landmarks" in net.shapes
        if self.uses_head:
            shapes["head_pose_deg"] = (None, 3)
        if self.uses_landmarks:
            shapes["landmarks"] = (None, 3 * NUM_POINTS)
        net.check_inputs(shapes)
        chosen = net.metadata.get("threshold")
        self.threshold = None if chosen is None else Threshold(chosen["value"], chosen["rule"])
        self._bin_deg = net.metadata["head_bin_deg"]
        self._net = net

    @property
    def net(self) -> Self:
        """Return what says which priors are asked for: itself."""
        return self

    def eval(self) -> Self:
        """Return itself: it does not train."""
        return self

    def look(self, frames: Tensor) -> list[FrameFeatures]:
        """Return frames (M, 3, H, W) uint8 as they are.

        The exported graph looks and decides in one call, so that frames of several calls are
        looked at several times.
        """
        return [FrameFeatures(frames, None)]

    def decide(
        self,
        views: Sequence[FrameFeatures],
        windows: Tensor,
        head_bins: Tensor | None = None,
        landmarks: Tensor | None = None,
    ) -> Tensor:
        """Return the probability of looking at the camera (B,).

        Arguments as `EyeContactModule.decide`; the view is of `look`.
        """
        (frames,) = views
        arrays = {
            "frames": frames.embedding.movedim(1, -1).numpy(),
            "windows": windows.numpy(),
        }
        if head_bins is not None:
            # The middle of a bin lies in no other one.
            head_pose_deg = (head_bins.double() + 0.5) * self._bin_deg
            arrays["head_pose_deg"] = head_pose_deg.float().numpy()
        if landmarks is not None:
            arrays["landmarks"] = landmarks.numpy()
        return torch.from_numpy(self._net.numbers("looking", (len(windows),), arrays))
