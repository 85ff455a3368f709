"""A person's own calibration: a map of gaze angles from a few labelled samples of that person.

It maps what the net says, in the frame it was trained in, before anything is turned back to the
camera's: there, what is a person's own (the axis of the eye, glasses, how the lids lie) is the
same wherever the face stands in the photo.

Fitted are yaw and pitch as they are, in radians. For a step in yaw, an angle between directions is
smaller by the cosine of the pitch: at 60 degrees up or down half of it, and at the poles yaw means
nothing; people look there neither in any of the data sets nor at a camera. What is mapped over a
pole comes down on its other side, and yaw goes on from +180 to -180 degrees, away from the camera.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from torch import Tensor, from_numpy, nn

from common.arrays import Float
from common.files.checksums import arrays_sha256
from common.files.form import NUMBER, TEXT, check_form
from common.files.sealed import read_json, write_json
from common.geometry import gaze_angles, gaze_vector

_AXES = ("yaw", "pitch")
_AGAIN = "make it again: predict.py run=RUN split=test 'calibration={samples:9}'"
_TEXTS = ("person", "run", "model", "trained_on", "weights_sha256", "gaze_convention", "gaze_frame")
_OF_AXIS = {**dict.fromkeys(_AXES, NUMBER), "offset_rad": NUMBER}
_FORM = {**dict.fromkeys(_TEXTS, TEXT), "map": dict.fromkeys(_AXES, _OF_AXIS)}


@dataclass(frozen=True)
class Calibration:
    """The map [yaw, pitch] -> matrix @ [yaw, pitch] + offset.

    Attributes:
        matrix: (2, 2), the identity of an offset.
        offset: (2,) in radians.
    """

    matrix: Float
    offset: Float

    def __call__(self, gaze: Tensor) -> Tensor:
        """Return gaze (..., 2) in radians as this person's."""
        mapped = gaze @ from_numpy(self.matrix.T).to(gaze) + from_numpy(self.offset).to(gaze)
        return gaze_angles(gaze_vector(mapped))


def write_calibration(
    folder: Path, person: str, calibration: Calibration, net: nn.Module, described: dict[str, Any]
) -> None:
    """Write a person's map as a file that says what it is of; it is named after the person.

    Args:
        folder: where to.
        person: whose it is; a name may hold what a file's may not.
        calibration: the map.
        net: whose gaze it maps.
        described: run, model, training data, gaze convention and frame, by the file's names.
    """
    rows = zip(_AXES, calibration.matrix.tolist(), calibration.offset.tolist(), strict=True)
    content = {
        "kind": "gaze_calibration",
        "unit": "rad",
        "person": person,
        **described,
        "weights_sha256": weights_sha256(net),
        "map": {
            axis: {**dict(zip(_AXES, row, strict=True)), "offset_rad": offset}
            for axis, row, offset in rows
        },
    }
    write_json(folder / f"{quote(person, safe=' ')}.json", content)


def read_calibration(
    path: Path, net_sha256: str, gaze_convention: str | None, gaze_frame: str
) -> Calibration:
    """Return the map of a person's file.

    Args:
        path: the file.
        net_sha256: `weights_sha256` of the net that it must be of.
        gaze_convention: of the net's training data, which must be that of the file's labels.
        gaze_frame: likewise.

    Raises:
        ValueError: If the file is another net's, another convention's or frame's, damaged, or none.
    """
    content = read_json(path, _AGAIN)
    check_form(content, _FORM, str(path))
    run = content["run"]
    if content["weights_sha256"] != net_sha256:
        raise ValueError(
            f"{path} is of {run} ({content['model']}, trained on {content['trained_on']}), whose "
            f"weights are not those of this run: type run={run}, or for a file of this run "
            "split=test 'calibration={samples:9}'"
        )
    for name, own in (("gaze_convention", gaze_convention), ("gaze_frame", gaze_frame)):
        if content[name] != own:
            raise ValueError(
                f"{path} is of labels with {name} {content[name]!r}, expected this run's, {own!r}: "
                f"type run={run} split=test 'calibration={{samples:9}}' without another data="
            )
    matrix = [[content["map"][axis][of] for of in _AXES] for axis in _AXES]
    offset = [content["map"][axis]["offset_rad"] for axis in _AXES]
    return Calibration(np.array(matrix, dtype=float), np.array(offset, dtype=float))


def weights_sha256(net: nn.Module) -> str:
    """Return the checksum of a net's weights."""
    # Whatever precision they are held in.
    return arrays_sha256(value.float().cpu().numpy() for value in net.state_dict().values())
