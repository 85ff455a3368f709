"""What a fresh training starts from: another net's weights, as far as they fit."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pytorch_lightning import Trainer
from torch import Tensor, nn

from common.training.checkpoints.foreign_weights import UNCOUNTED, misfits, missing_counts
from gazepose.originals.files import LoadReport, read_state_dict
from gazepose.originals.names import (
    Kind,
    kind_of_weights,
    original_names,
    yaw_turned,
)

LOG = logging.getLogger(__name__)
InitPart = Literal["backbone", "all"]
# Parts that all nets have: what comes before a net's own decision; and that decision.
_SHARED = ("backbone.", "embedding.", "lstm.")
_LAST = "last."
_SUITE_PREFIX = "net."
_STAYS = "not in the file, stays as it was"
_NOT_ASKED = "only backbone, embedding and LSTM were asked for"


@dataclass(frozen=True)
class StartWeights:
    """The weights a fresh training starts from; a resumed one has its own.

    Attributes:
        checkpoint: Gaze360's file, an original's, or a checkpoint of this suite; None: random ones.
        part: ``backbone`` takes what makes a frame's features, ``all`` whatever fits.

    Raises:
        ValueError: If the part is unknown.
    """

    checkpoint: str | None = None
    part: InitPart = "backbone"

    def __post_init__(self) -> None:
        if self.part not in get_args(InitPart):
            raise ValueError(f"init_part is {self.part!r}, expected one of {get_args(InitPart)}")

    def fill(self, net: nn.Module, trainer: Trainer) -> None:
        """Fill a net whose fit begins; not in `setup`, where no trainer knows if it resumes.

        Raises:
            ValueError: If the file cannot be read, or does not fit the net.
        """
        if self.checkpoint and trainer.ckpt_path is None:
            LOG.info("%s", start_net(net, Path(self.checkpoint), self.part))


def start_net(net: nn.Module, path: Path, part: InitPart) -> LoadReport:
    """Fill of a net what a file has of it.

    Args:
        net: GazePose, GazeLSTM or Gaze360.
        path: Gaze360's file, an original's, or a checkpoint of this suite (gaze pretraining).
        part: ``backbone``: what makes a frame's features, which are backbone, embedding and LSTM;
            ``all``: the classifier too, if it is the net's.

    Raises:
        ValueError: If the file cannot be read, lacks backbone, embedding or LSTM, or what is taken
            has other sizes.
    """
    given = read_state_dict(path)
    found = kind_of_weights(given)
    names, own = _names_in_file(net, found), net.state_dict()
    refused = _refused(names, own, given, part)
    taken = {
        name: given[key] for name, key in names.items() if key in given and name not in refused
    }
    uncounted = missing_counts(taken, (name for name in own if name not in refused))
    complete = {**taken, **uncounted}
    _check(net, complete, own, f"{path} ({found})")
    net.load_state_dict({**own, **_turned(net, found, complete)})
    keys = {key: name for name, key in names.items()}
    nowhere = f"{type(net).__name__} has no such part"
    return LoadReport(
        source=f"{path} ({found})",
        matched=tuple(taken),
        dropped={
            key: refused.get(keys.get(key, ""), nowhere)
            for key in given
            if keys.get(key) not in taken
        },
        missing={
            name: UNCOUNTED if name in uncounted else refused.get(name, _STAYS)
            for name in own
            if name not in taken
        },
    )


def _names_in_file(net: nn.Module, found: Kind) -> dict[str, str]:
    """Return our state-dict key -> the key in a file of some kind."""
    if found is Kind.SUITE:
        return {name: _SUITE_PREFIX + name for name in net.state_dict()}
    return original_names(net)


def _refused(
    names: Mapping[str, str],
    own: Mapping[str, Tensor],
    given: Mapping[str, Tensor],
    part: InitPart,
) -> dict[str, str]:
    """Return which of the net's entries are not taken from the file -> why."""
    if part == "backbone":
        return {name: _NOT_ASKED for name in own if not name.startswith(_SHARED)}
    last = [name for name in own if name.startswith(_LAST)]
    differing = [
        f"{names[name]} is {tuple(given[names[name]].shape)}, the net's {tuple(own[name].shape)}"
        for name in last
        if names[name] in given and given[names[name]].shape != own[name].shape
    ]
    if not differing:
        return {}
    return dict.fromkeys(last, f"another classifier ({differing[0]})")


def _check(
    net: nn.Module, taken: Mapping[str, Tensor], own: Mapping[str, Tensor], source: str
) -> None:
    """Refuse a file that lacks what all nets have, or has other sizes."""
    expected = {name: own[name] for name in own if name in taken or name.startswith(_SHARED)}
    problems = misfits(taken, expected)
    if problems:
        raise ValueError(
            f"{source} does not fit {type(net).__name__}: {problems}. Sizes must be the file's: "
            "model.backbone, model.embedding, model.lstm_hidden, for all of it the others too"
        )


def _turned(net: nn.Module, found: Kind, taken: Mapping[str, Tensor]) -> dict[str, Tensor]:
    has_gaze = any(name.startswith(_LAST) for name in taken)
    return yaw_turned(net, taken) if found is Kind.GAZE360 and has_gaze else dict(taken)
