"""FLAME's nets as ONNX files: the module's own angles, whatever the batch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from builders.small_training import REPO_DIR, one_thread

from common.onnx.net import OnnxNet
from common.onnx.writing import TOLERANCE, write_onnx
from flame.data.statistics import Statistics
from flame.nets.flame import Flame, FlameAF, FlameAO, FlameB
from flame.nets.parts import GazeNet
from flame.training.losses import VectorDifferenceLoss
from flame.training.module import GazeAngleModule

RANGES = Statistics(-0.6, 0.5, -1.0, 1.1)
SAID = {"model": "small", "line": "gaze_angle", "training_data": {"name": "none", "recipe": {}}}


def small_module(make: type[GazeNet], **settings: str) -> GazeAngleModule:
    torch.manual_seed(0)
    net = make(width=2, hidden=32, input_size=40)
    for name, values in net.named_parameters():
        if values.dim() > 1 and name.startswith("head"):
            torch.nn.init.normal_(values, std=0.3)  # outputs that differ
    options = {"statistics": RANGES, **settings}
    return GazeAngleModule(net, VectorDifferenceLoss(), torch.optim.Adam, **options).eval()  # type: ignore[arg-type]


def eyes(num: int) -> dict[str, np.ndarray]:
    """Inputs of a net, the last sample's landmarks partly outside the crop."""
    generator = np.random.default_rng(num)
    landmarks = generator.uniform(0, 40, (num, 112))
    landmarks[-1, ::3] += 200
    return {
        "rgb": generator.integers(0, 256, (num, 40, 40, 3)).astype(np.uint8),
        "head_pose": generator.uniform(-1, 1, (num, 3)).astype(np.float32),
        "landmarks": landmarks.astype(np.float32),
    }


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (Flame, {}),
        (FlameAO, {}),
        (FlameAF, {"channels_last": True}),
        (FlameB, {"input_range": "byte"}),
    ],
    ids=["flame", "flame_ao", "flame_af", "flame_b"],
)
def test_an_exported_net_gives_the_modules_angles(
    make: type[GazeNet], settings: dict[str, str], tmp_path: Path
) -> None:
    module, path = small_module(make, **settings), tmp_path / "net.onnx"
    with one_thread():
        assert write_onnx(path, module.exportable({}, None), SAID) <= TOLERANCE
        net = OnnxNet(path)
        assert ("landmarks" in net.shapes) == make.uses_heatmap
        for num in (1, 3, 8):
            given = eyes(num)
            batch = {name: torch.from_numpy(values) for name, values in given.items()}
            batch["rgb"] = batch["rgb"].movedim(-1, 1)
            with torch.inference_mode():
                expected = module(batch).numpy()
            (found,) = net(given).values()
            assert found.shape == (num, 2)
            np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
    assert np.ptp(found, axis=0).min() > 100 * TOLERANCE
    # Exporters write down where the code lies.
    assert str(REPO_DIR).encode() not in path.read_bytes()
