"""The nets of this package as an ONNX file has them: inputs, outputs, what to know of them."""

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

import torch

from common.geometry import CONTRACT
from common.onnx.writing import Exportable, Port
from gazepose.batch import CENTRE, NUM_FRAMES
from gazepose.evaluation.threshold import Threshold
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.parts import ClipNet
from gazepose.nets.windowed import WindowedGaze, WindowedScores
from gazepose.store.ranking import trained_ranking

_NUM_EXAMPLE_FRAMES, _NUM_EXAMPLE_CLIPS = 5, 3
_HEAD_POSE = (
    "float32 (clips, 3): [yaw, pitch, roll] of the middle frame in degrees, rotation "
    "Rx(-pitch) Ry(-yaw) Rz(-roll) as Hopenet counts; their signs do not matter; NaN where unknown"
)
_LANDMARKS = (
    "float32 (clips, 15): x of nose, left eye, right eye, mouth left, mouth right, then y of the "
    "five, in widths of the face image from the middle between the eyes, -2 to 2; then their five "
    "scores, 0 to 1; left is the subject's; all 0 where unknown"
)


def exportable_scores(
    net: ClipNet,
    threshold: Threshold | None,
    inputs: Mapping[str, Any],
    annotator: Mapping[str, Any] | None,
    *,
    flip_average: bool,
    mirror_priors: bool,
) -> Exportable:
    """Return a net of eye contact as an exported file has it.

    Args:
        net: in eval mode.
        threshold: of the weights.
        inputs: what the net asks of the data module, by the config's names.
        annotator: the arguments of `gazepose.prediction.predictor.VideoPredictor`, as plain values;
            places on this machine do not go along.
        flip_average: of `WindowedScores`.
        mirror_priors: likewise.
    """
    size, split_deg = inputs["image_size"], inputs.get("split", 1.0)
    generator = torch.Generator().manual_seed(0)
    ports = _clip_ports(size, inputs["zoom"], generator)
    if net.uses_head:
        poses = torch.rand(_NUM_EXAMPLE_CLIPS, 3, generator=generator) * 180 - 90
        ports["head_pose_deg"] = Port(_HEAD_POSE, "clips", poses)
    if net.uses_landmarks:
        points = torch.rand(_NUM_EXAMPLE_CLIPS, 15, generator=generator)
        ports["landmarks"] = Port(_LANDMARKS, "clips", points)
    looking = (
        "float32 (clips,): probability that the person looks at the camera in the middle frame"
    )
    return Exportable(
        WindowedScores(net, size, split_deg, flip_average, mirror_priors),
        ports,
        {"looking": Port(looking, "clips")},
        facts={
            "threshold": None if threshold is None else asdict(threshold),
            "head_bin_deg": split_deg,
            "flip_average": flip_average,
        },
        annotator=None if annotator is None else _without_places(annotator),
    )


def exportable_gaze(net: Gaze360, inputs: Mapping[str, Any]) -> Exportable:
    """Return a net of gaze over clips as an exported file has it.

    Args:
        net: in eval mode.
        inputs: what it asks of the data module, by the config's names.
    """
    size = inputs["image_size"]
    gaze = "float32 (clips, 2): [yaw, pitch] in radians in the middle frame; see angle_contract"
    uncertainty = "float32 (clips, 1): in radians; 80 % of errors should lie within"
    return Exportable(
        WindowedGaze(net, size),
        _clip_ports(size, inputs["zoom"], torch.Generator().manual_seed(0)),
        {"gaze": Port(gaze, "clips"), "uncertainty": Port(uncertainty, "clips")},
        facts={"angle_contract": CONTRACT},
    )


def _clip_ports(size: int, zoom: float, generator: torch.Generator) -> dict[str, Port]:
    shown = "the whole box" if zoom == 1 else f"the middle 1/{zoom:g} of its width and height"
    frames = (
        f"uint8 (frames, {size}, {size}, 3) RGB as Pillow and FFmpeg give it: tight face boxes, of "
        f"each {shown} stretched to the square, of as many frames as the clips show"
    )
    windows = (
        f"int64 (clips, {NUM_FRAMES}): which frame a clip shows before, at and behind its middle, "
        f"place {CENTRE}; -1 is a black one"
    )
    images = torch.randint(
        0, 256, (_NUM_EXAMPLE_FRAMES, size, size, 3), dtype=torch.uint8, generator=generator
    )
    shape = (_NUM_EXAMPLE_CLIPS, NUM_FRAMES)
    rows = torch.randint(-1, _NUM_EXAMPLE_FRAMES, shape, generator=generator)
    # The first one does without the other frames.
    rows[0] = rows[0].clamp(max=0)
    return {"frames": Port(frames, "frames", images), "windows": Port(windows, "clips", rows)}


def _without_places(annotator: Mapping[str, Any]) -> dict[str, Any]:
    """Return a predictor's arguments without what names a file, with what is known from it."""
    store_dir = annotator.get("trained_store_dir")
    ranking = trained_ranking(None if store_dir is None else Path(store_dir))
    is_one = ranking is not None and all(map(isfinite, ranking))
    return {
        **{key: value for key, value in annotator.items() if key != "trained_store_dir"},
        "preparation": {**annotator["preparation"], "hopenet_weights": None},
        "trained_ranking": list(ranking) if ranking is not None and is_one else None,
    }
