"""Checks across config groups, runs and data sets.

Each raises ValueError, and says what to type instead.
"""

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
# A layout that does not say how its data set defined gaze.
UNSTATED_CONVENTION = "flame_layout"
_ROUNDING = {"bf16-true": "bf16-mixed", "16-true": "16-mixed"}
Fingerprint = Mapping[str, Any]
Recipe = Mapping[str, Any]
# What a model that has use of a config group asks of the data module.
_INPUT_OF_GROUP = {"priors": "use_head", "dropout": "dropout"}


def check_line(model: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Refuse a model on data of the other line."""
    if model["line"] != data["line"]:
        raise ValueError(
            f"model={model['name']} is about {model['line']}, data={data['name']} about "
            f"{data['line']}: choose data of its own line (README lists them)"
        )


def check_inputs(model: Mapping[str, Any], chosen: Mapping[str, Any]) -> None:
    """Refuse priors or dropout chosen for a model that takes none: they would change nothing.

    Args:
        model: the model's config.
        chosen: the config with the groups ``priors`` and ``dropout``, None where not chosen.
    """
    idle = [
        group
        for group, asked in _INPUT_OF_GROUP.items()
        if chosen[group] is not None and asked not in model["inputs"]
    ]
    if idle:
        raise ValueError(
            f"model={model['name']} takes no {' and no '.join(idle)}: leave out "
            f"{' '.join(f'{group}=' for group in idle)}"
        )


def check_file_name(name: str) -> None:
    """Refuse a name that leads out of the folder it is for: some come from another's run.json."""
    if Path(name).name != name or name == "..":
        raise ValueError(
            f"{name!r} cannot be the name of a file: names of models and data sets hold no '/'"
        )


def check_precision(trainer: Mapping[str, Any]) -> None:
    """Refuse precisions in which Lightning rounds what a batch holds.

    Landmarks would leave their cells, and labels and head poses have two or three digits.
    """
    precision = trainer.get("precision")
    if precision in _ROUNDING:
        raise ValueError(
            f"trainer.precision={precision} rounds landmarks, head poses and labels, too: type "
            f"trainer.precision={_ROUNDING[precision]}"
        )


def check_steps(trainer: Mapping[str, Any]) -> None:
    """Refuse steps that make no sense: at a negative value Lightning silently clips nothing."""
    limit, num = trainer.get("gradient_clip_val"), trainer.get("accumulate_grad_batches", 1)
    if limit is not None and not (_is_number(limit, int | float) and 0 < limit < math.inf):
        raise ValueError(
            f"trainer.gradient_clip_val={limit}, expected a number above 0, or null for none"
        )
    if not (_is_number(num, int) and num >= 1):
        raise ValueError(f"trainer.accumulate_grad_batches={num}, expected a whole number from 1")


def _is_number(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def frame_of(recipe: Mapping[str, Any]) -> str:
    """Return in which frame of `common.geometry` a store's angles are; old ones do not say."""
    return str(recipe.get("gaze_frame", "camera"))


def warn_of_other_mesh(trained: Recipe, now: Recipe) -> None:
    """Warn where both head poses are the mesh's, of different definitions."""
    definitions = [recipe.get("mesh_head_pose") for recipe in (trained, now)]
    if trained.get("head_pose") == now.get("head_pose") == "mesh" and len(set(definitions)) > 1:
        LOG.warning(
            "head poses of the face mesh were defined as %r in training, now as %r (None: before "
            "definitions were recorded): heads read some degrees more or less down. Preprocess "
            "the training data again and train on them",
            *definitions,
        )


def check_conventions(trained: Fingerprint, tested: Fingerprint, allow: bool) -> None:
    """Refuse to test where gaze means something else than in training, by convention or frame."""
    warn_of_other_mesh(trained["recipe"], tested["recipe"])
    if allow:
        return
    frames = frame_of(trained["recipe"]), frame_of(tested["recipe"])
    if frames[0] != frames[1]:
        raise ValueError(
            f"{trained['name']} has its angles in the {frames[0]} frame, {tested['name']} in the "
            f"{frames[1]} frame: the same eyes have other labels there. Type "
            "allow_other_convention=true to test all the same"
        )
    # Eye contact has none: a face looks at the camera or does not.
    before = trained["recipe"].get("gaze_convention")
    now = tested["recipe"].get("gaze_convention")
    if before == now:
        return
    if now == UNSTATED_CONVENTION:
        LOG.warning("%s does not say how gaze is defined; trained as %r", tested["name"], before)
        return
    raise ValueError(
        f"{trained['name']} defines gaze as {before!r}, {tested['name']} as {now!r}: errors "
        "would mix both definitions. Type allow_other_convention=true to do it anyway"
    )


def check_same_split(trained: Fingerprint, tested: Fingerprint) -> None:
    """Refuse to test a run on its own data set divided otherwise: people would be in both parts."""
    own = ("name", "recipe")
    if any(trained.get(key) != tested[key] for key in own):
        return
    if not _is_divided_alike(trained, tested):
        before, now = (_split_text(data) for data in (trained, tested))
        raise ValueError(
            f"the run was trained on split {before} of {tested['name']}, this is {now}: its test "
            "part may hold people of the training. Leave out data=..., so that the run's own "
            "split is used"
        )


def check_resumed_net(before: Mapping[str, Any], now: Mapping[str, Any], run_dir: str) -> None:
    """Refuse to go on with a run of another net: its weights would not fit, its record be lost."""
    ours, theirs = now["model"], before["model"]
    if ours["name"] != theirs["name"]:
        raise ValueError(
            f"{run_dir} holds a run of model={theirs['name']}, this is model={ours['name']}: "
            f"type model={theirs['name']}, or another ckpt_path"
        )
    if ours["net"] != theirs["net"]:
        raise ValueError(
            f"{run_dir} holds a run of another {ours['name']} (model.net was {theirs['net']}, now "
            f"{ours['net']}): type what that one was started with, or another ckpt_path"
        )


def check_resumed_data(before: Fingerprint, now: Fingerprint, run_dir: str) -> None:
    """Refuse to go on with a run on other data."""
    is_same = {key: before.get(key) == now.get(key) for key in ("name", "recipe")}
    is_same["split"] = _is_divided_alike(before, now)
    is_same["table_sha256"] = before.get("table_sha256") == now.get("table_sha256")
    differing = [key for key, same in is_same.items() if not same]
    if differing:
        raise ValueError(
            f"{run_dir} was trained on other data ({', '.join(differing)} differ): a resumed run "
            "keeps its data. Start a new one without ckpt_path"
        )


def _is_divided_alike(one: Fingerprint, other: Fingerprint) -> bool:
    """Return whether two fingerprints are of one split, by its name and where it comes from.

    The name alone says neither which fold it is nor how large its parts are.
    """
    sources = {data.get("split_source") for data in (one, other)} - {None}
    return one.get("split") == other.get("split") and len(sources) < 2


def _split_text(data: Fingerprint) -> str:
    source = data.get("split_source")
    return f"{data['split']!r}" + (f" ({source})" if source else "")
