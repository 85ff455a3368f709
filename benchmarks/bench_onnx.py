"""Speed on the CPU of nets in PyTorch, float32 and bfloat16, and in ONNX Runtime.

    python benchmarks/bench_onnx.py
    python benchmarks/bench_onnx.py --threads 2 --num-rounds 9 --width 16

Published sizes, random weights, noise: what prepares the inputs counts, finding faces does not.
Given is processor time of a call, the median of rounds in which all three take turns.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from tqdm import tqdm

from common.onnx.net import OnnxNet
from common.onnx.writing import Exportable, write_onnx
from flame.data.statistics import Statistics
from flame.nets.flame import Flame
from flame.training.losses import VectorDifferenceLoss
from flame.training.module import GazeAngleModule
from gazepose.nets.backbones import resnet18
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose
from gazepose.training.exportable import exportable_scores

INPUTS = {"image_size": 224, "zoom": 1.0}
Arrays = dict[str, np.ndarray]
Table = list[tuple[str, ...]]


def flame(width: int) -> Exportable:
    """Return FLAME with what surrounds it."""
    statistics = Statistics(-0.6, 0.6, -1.0, 1.0)
    net = Flame(width=width)
    module = GazeAngleModule(net, VectorDifferenceLoss(), torch.optim.Adam, statistics=statistics)
    return module.eval().exportable({}, None)


def contact(make: Callable[..., GazePose | GazeLSTM], width: int) -> Exportable:
    """Return a net of eye contact with what surrounds it."""
    net = make(resnet18(width)).eval()
    return exportable_scores(net, None, INPUTS, None, flip_average=False, mirror_priors=False)


def eyes(num: int) -> Arrays:
    """Return crops, landmarks and head poses of some eyes."""
    generator = np.random.default_rng(0)
    return {
        "rgb": generator.integers(0, 256, (num, 120, 120, 3)).astype(np.uint8),
        "head_pose": generator.uniform(-1, 1, (num, 3)).astype(np.float32),
        "landmarks": generator.uniform(0, 120, (num, 112)).astype(np.float32),
    }


def track(num_clips: int) -> Arrays:
    """Return the clips around neighbouring frames of a track."""
    generator = np.random.default_rng(0)
    return {
        "frames": generator.integers(0, 256, (num_clips + 6, 224, 224, 3)).astype(np.uint8),
        "windows": np.arange(num_clips)[:, None] + np.arange(7),
        "head_pose_deg": generator.uniform(-90, 90, (num_clips, 3)).astype(np.float32),
        "landmarks": generator.uniform(-2, 2, (num_clips, 15)).astype(np.float32),
    }


def bench(name: str, net: Exportable, samples: dict[str, Arrays], num_rounds: int) -> Table:
    """Time a net on some samples each; returns a row each."""
    said = {"model": name, "line": name, "training_data": {"name": name, "recipe": {}}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        write_onnx(path, net, said)
        exported = OnnxNet(path)
    return [
        (f"{name}, {what}", *compared(net, exported, arrays, num_rounds))
        for what, arrays in samples.items()
    ]


def compared(net: Exportable, exported: OnnxNet, arrays: Arrays, num_rounds: int) -> list[str]:
    """Return the times of the three, and by how much the latter two differ from the first."""
    given = {key: arrays[key] for key in net.inputs}
    calls: list[Callable[[], np.ndarray]] = [
        lambda: in_torch(net, given, None),
        lambda: in_torch(net, given, torch.bfloat16),
        lambda: next(iter(exported(given).values())),
    ]
    full, *others = (call() for call in calls)
    times = [[seconds(call) for call in calls] for _ in tqdm(range(num_rounds), leave=False)]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    return [
        *(f"{1e3 * median:.1f} ms" for median in medians),
        f"{medians[0] / medians[2]:.2f}x",
        ", ".join(f"{abs(other - full).max():.0e}" for other in others),
    ]


@torch.inference_mode()
def in_torch(net: Exportable, given: Arrays, precision: torch.dtype | None) -> np.ndarray:
    """Run the net in PyTorch, with autocast to a precision if there is one."""
    tensors = {key: torch.from_numpy(value) for key, value in given.items()}
    with torch.autocast("cpu", precision, enabled=precision is not None):
        return np.asarray(net.graph(**tensors).float().numpy())


def seconds(call: Callable[[], object]) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Run everything and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--num-rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=64, help="of the nets' first stage")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    clips = {"one clip": track(1), "64 clips of a track": track(64)}
    nets = {
        "FLAME": (
            flame(args.width),
            {"one eye": eyes(1), "both eyes": eyes(2), "32 eyes": eyes(32)},
        ),
        "GazeLSTM": (contact(GazeLSTM, args.width), clips),
        "GazePose": (contact(GazePose, args.width), clips),
    }
    rows: Table = [("", "PyTorch f32", "PyTorch bf16", "ONNX Runtime", "faster", "differences")]
    for name, (net, samples) in nets.items():
        rows += bench(name, net, samples, args.num_rounds)
    rows.insert(1, ("---",) * len(rows[0]))
    print(
        f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, "
        f"{args.threads} thread(s)"
    )
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
