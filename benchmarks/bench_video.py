"""Frames a second on videos, everything included, and what each stage of the road costs.

    python benchmarks/bench_video.py party.mp4
    python benchmarks/bench_video.py party.mp4 street.mov --nets gazelstm --precision bf16-mixed

First the stages one after the other, without the pipeline's threads: processor time a frame of
decoding, finding (search, meshes, camera motion), judging (crops, net, clips), drawing and
encoding, and their shares. Then the whole command as `predict.py source=` runs it, tables and
drawn video included: frames a second by the clock, which other busy processes disturb. Weights are
random: they cost what trained ones do.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import torch

from common.faces.settings import AnalyzerSettings
from common.faces.tracking import TrackingSettings
from common.media.video import read_timed_frames, video_info
from common.media.video_writer import write_timed_video
from common.prediction.annotator import Annotator, drawn_frame
from common.prediction.pair import Pair
from common.prediction.videos import annotate_videos
from flame.data.statistics import Statistics
from flame.nets.flame import Flame
from flame.prediction.predictor import PhotoPredictor
from flame.training.losses import VectorDifferenceLoss
from flame.training.module import GazeAngleModule
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.nets.backbones import resnet18
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.prediction.predictor import VideoPredictor
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.training.losses import WeightedCrossEntropy
from gazepose.training.module import EyeContactModule

Item = TypeVar("Item")
NARROW = 16
ROAD = ("decode", "find", "judge", "draw", "encode")


class Stages:
    """Seconds of processor time by stage; a stage's own time is what its input did not take."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def over(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items; what making them takes, their own inputs included, is `name`'s."""
        self.seconds[name] = 0.0
        making = iter(items)
        while True:
            start = time.process_time()
            item = next(making, None)
            self.seconds[name] += time.process_time() - start
            if item is None:
                return
            yield item

    def own(self) -> dict[str, float]:
        """Return the seconds of each stage alone, in the order of the road."""
        earlier = [0.0, *(self.seconds[name] for name in ROAD)]
        return {
            name: self.seconds[name] - before for name, before in zip(ROAD, earlier, strict=False)
        }


def contact(width: int, **settings: Any) -> VideoPredictor:
    """Return GazeLSTM at 224 px; width 64 is the published one."""
    net = GazeLSTM(resnet18(width))
    module = EyeContactModule(net, WeightedCrossEntropy(), torch.optim.Adam, None)
    parts = (AnalyzerSettings(), TrackingSettings(), PreparationSettings(), None, TrackSmoothing())
    return VideoPredictor(module, *parts, **settings)


def gaze(width: int, **settings: Any) -> PhotoPredictor:
    """Return FLAME; width 64 is the published one."""
    ranges = Statistics(-0.3, 0.3, -0.5, 0.5)
    parts = (Flame(width=width), VectorDifferenceLoss(), torch.optim.Adam)
    module = GazeAngleModule(*parts, statistics=ranges)
    return PhotoPredictor(module, AnalyzerSettings(), 0.05, **settings)


MAKERS: dict[str, Callable[..., Annotator]] = {
    "gazelstm_narrow": lambda **given: contact(NARROW, **given),
    "gazelstm": lambda **given: contact(64, **given),
    "flame_narrow": lambda **given: gaze(NARROW, **given),
    "flame": lambda **given: gaze(64, **given),
    "both_narrow": lambda **given: Pair(contact(NARROW, **given), gaze(NARROW, **given)),
    "both": lambda **given: Pair(contact(64, **given), gaze(64, **given)),
}


def stage_seconds(path: Path, annotator: Annotator, num_frames: int | None) -> dict[str, float]:
    """Return the processor time of each stage on a video's first frames."""
    stages = Stages()
    info = video_info(path)
    with tempfile.TemporaryDirectory() as folder:
        decoded = stages.over("decode", islice(read_timed_frames(path), num_frames))
        found = stages.over("find", annotator.follower.follow(decoded))
        judged = stages.over("judge", annotator.judge(found))
        drawn = stages.over("draw", ((drawn_frame(f.image, faces), f.shown) for f, faces in judged))
        start = time.process_time()
        write_timed_video(Path(folder, "drawn.mp4"), drawn, info)
        stages.seconds["encode"] = time.process_time() - start
    return stages.own()


def frames_a_second(path: Path, annotator: Annotator) -> float:
    """Return how fast the whole command is, by the clock."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        annotate_videos([path], annotator, Path(folder))
        taken_s = time.perf_counter() - start
    return sum(1 for _ in read_timed_frames(path)) / taken_s


def report(path: Path, name: str, precision: str, num_frames: int | None) -> None:
    """Print the stages and the speed of one net on one video."""
    annotator = MAKERS[name](precision=precision)
    stage_seconds(path, annotator, 12)  # graphs and kernels are built
    seconds = stage_seconds(path, annotator, num_frames)
    frames = num_frames or sum(1 for _ in read_timed_frames(path))
    whole = sum(seconds.values())
    shares = ", ".join(
        f"{stage} {1000 * value / frames:.1f} ms ({100 * value / whole:.0f} %)"
        for stage, value in seconds.items()
    )
    speed = frames_a_second(path, annotator)
    print(
        f"{path.name}, {name}, {precision}: {speed:.1f} frames/s; "
        f"{1000 * whole / frames:.1f} ms of processor time a frame: {shares}",
        flush=True,
    )


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--nets", nargs="+", choices=MAKERS, default=list(MAKERS))
    parser.add_argument("--precision", nargs="+", default=["32-true", "bf16-mixed"])
    parser.add_argument("--num-frames", type=int, help="of each video, for the stages")
    parser.add_argument("--threads", type=int, help="of torch, beside the pipeline's own")
    args = parser.parse_args()
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    for path in args.videos:
        info = video_info(path)
        print(f"{path.name}: {info.width} x {info.height}, {info.fps_hz:g} Hz")
        for name in args.nets:
            for precision in args.precision:
                report(path, name, precision, args.num_frames)


if __name__ == "__main__":
    main()
