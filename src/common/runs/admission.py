"""What a run.json may have built: it can come from anybody, and a ``_target_`` is code.

Targets are admitted by what they are, wherever they stand, and before anything is imported but this
suite, torch and Lightning. What a user types, or writes into conf/, does not pass here.
"""

import inspect
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import hydra.utils
from hydra.errors import InstantiationException
from pytorch_lightning import Callback, LightningDataModule, Trainer
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import nn
from torch.nn.modules.loss import _Loss
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from common.config.instantiate import OF_HYDRA, calls, merged
from common.config.plain import Config, is_within
from common.config.recordable import is_recordable

_OURS = ("common", "flame", "gazepose")
_OUR_BASES = (nn.Module, LightningDataModule, Callback, Logger)
_TORCH_BASES = (Optimizer, LRScheduler, _Loss)
_OF_LIGHTNING = (Trainer, CSVLogger, TensorBoardLogger, LearningRateMonitor, ModelCheckpoint)
# Where these are: nothing is imported from elsewhere to find out what it is.
_ROOMS = (
    *(*_OURS, "torch.optim", "torch.nn"),
    *("pytorch_lightning.callbacks", "pytorch_lightning.loggers"),
)
_MODULES = ("pytorch_lightning",)
# What writes, and what its arguments call a place to write to.
_WRITERS = (Callback, Logger, Trainer)
_PLACES = ("dirpath", "save_dir", "output_dir", "default_root_dir", "root_dir", "log_dir", "dir")
# Of Lightning's: where it uploads checkpoints to.
_UPLOADS = ("model_registry",)
# In a path they lead elsewhere: another protocol, a variable.
_ODD = ("://", "::", "$")


def parts_of_prediction(config: Config, run_dir: Path) -> dict[str, Any]:
    """Return what ``predict.py`` builds of a run's config, by dotted key.

    Args:
        config: the run's.
        run_dir: stands for where results go, which the command says.
    """
    model = config["model"]
    results = model["callbacks"].get("results")
    written = {} if results is None else {"results": {**results, "output_dir": str(run_dir)}}
    return {
        "model.module": model["module"],
        "model.annotator": model["annotator"],
        "model.callbacks": written,
        "data.datamodule": _data(config),
    }


def parts_of_run(config: Config) -> dict[str, Any]:
    """Return what a training builds of a config, by dotted key."""
    parts = ("model", "callbacks", "logger", "trainer")
    return {**{name: config[name] for name in parts}, "data.datamodule": _data(config)}


def check_recorded(
    run_dir: Path,
    config: Config,
    parts: Mapping[str, Any],
    *,
    trusted: Sequence[str],
    writes_to: Path,
) -> None:
    """Refuse to build what a run.json names unless it is admitted.

    Admitted are nets, losses, modules, data modules, callbacks and loggers of this suite, and what
    it marks as `recordable`; optimizers, schedulers and losses of torch; of Lightning what
    conf/ names. They may write into the new run's folder only.

    Args:
        run_dir: the recorded run's folder.
        config: all of its config.
        parts: what is to be built of it, by dotted key.
        trusted: modules or classes that the user vouches for, by dotted name: whatever is defined
            there is admitted, with any arguments.
        writes_to: the folder that what is built may write to.

    Raises:
        ValueError: If so; names the target, where it stands, and how to trust it.
    """
    where = run_dir / "run.json"
    _check_resolved(where, config)
    # Keys may hold dots: two calls can have the same one.
    asked = [one for key, part in parts.items() for one in calls(part, key)]
    for key, call in asked:
        _check_form(where, key, call)
    _check_none(where, trusted, [one for one in asked if not _is_known(one[1], trusted)])
    found = [(key, call, _found(where, key, call["_target_"], trusted)) for key, call in asked]
    bound = [one for one in found if not _is_trusted(one[1]["_target_"], one[2], trusted)]
    _check_none(where, trusted, [(key, call) for key, call, its in bound if not is_admitted(its)])
    for key, call, its in bound:
        _check_arguments(where, key, call, its, writes_to)


def is_admitted(found: Any) -> bool:
    """Return whether a run.json from anybody may have a class or function built."""
    if is_recordable(found):
        return True
    if not isinstance(found, type):
        return False
    package = found.__module__.partition(".")[0]
    if package in _OURS:
        return issubclass(found, _OUR_BASES)
    return found in _OF_LIGHTNING or (package == "torch" and issubclass(found, _TORCH_BASES))


def _data(config: Config) -> dict[str, Any]:
    # Laid over each other as they are built: a value of one may end up in a call of the other.
    return merged(config["data"]["datamodule"], config["model"]["inputs"])


def _check_resolved(where: Path, config: Config) -> None:
    """Refuse interpolations: whoever builds the config would evaluate them, ``oc.env`` among them.

    A recorded config is resolved and has none.
    """
    for key, text in _strings(config):
        if "${" in text or text == "???":
            raise ValueError(
                f"{where} has {text!r} at config.{key}, which a recorded, resolved config never "
                "has: it is not evaluated. Write the value itself there"
            )


def _strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield all strings of a config behind their dotted keys."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, item in items:
            place = f"{key}.{name}" if key else str(name)
            yield from _strings(item, place)


def _check_form(where: Path, key: str, call: Config) -> None:
    """Refuse what Hydra would take as no target and no flag."""
    kinds = {"_target_": str, "_partial_": bool, "_recursive_": bool, "_args_": list}
    for name, kind in kinds.items():
        if name in call and not isinstance(call[name], kind):
            raise ValueError(
                f"{where} has {call[name]!r} at config.{key}.{name}, expected a {kind.__name__}"
            )


def _is_known(call: Config, trusted: Collection[str]) -> bool:
    """Return whether a target's module may be imported, by its name alone."""
    target = call["_target_"]
    if is_within(target, trusted):
        return True
    module = target.rpartition(".")[0]
    # No `__main__`, which runs when it is imported; nothing that is nobody else's business.
    is_public = all(part.isidentifier() and not part.startswith("_") for part in target.split("."))
    return is_public and (module in _MODULES or is_within(module, _ROOMS))


def _found(where: Path, key: str, target: str, trusted: Collection[str]) -> Any:
    """Return what a target is; of ours, an attribute of a module, and none of an attribute."""
    try:
        if not is_within(target, trusted):
            import_module(target.rpartition(".")[0])
        return hydra.utils.get_object(target)
    except (ImportError, InstantiationException) as error:
        raise ValueError(
            f"{where.parent} names {target} (config.{key} of its run.json), which cannot be "
            "loaded: it was made by other code. Check out the commit that run.json has under git, "
            f"or write there what it is called now. {error}"
        ) from error


def _is_trusted(target: str, found: Any, trusted: Collection[str]) -> bool:
    """Return whether a user vouches for it: by its very name, or for the module that defines it.

    What a trusted module merely imports is not its own.
    """
    home = str(getattr(found, "__module__", ""))
    return target in trusted or any(
        is_within(target, [one]) and is_within(home, [one]) for one in trusted
    )


def _check_none(
    where: Path, trusted: Collection[str], strange: Sequence[tuple[str, Config]]
) -> None:
    """Refuse calls, behind their keys, if there are any."""
    if not strange:
        return
    listed = "".join(f"\n- {call['_target_']} at config.{key}" for key, call in strange)
    names = {
        # A trusted module has it from elsewhere.
        target if is_within(target, trusted) else target.rpartition(".")[0] or target
        for target in (call["_target_"] for _, call in strange)
    }
    raise ValueError(
        f"{where} names what no run.json may have run, as it could be from anybody:{listed}\n"
        "Expected a net, loss, module, data module, callback or logger of this suite, or an "
        "optimizer, scheduler or loss of torch. If you know that code and trust it, type "
        f"trusted='[{','.join(sorted(names))}]'"
    )


def _check_arguments(where: Path, key: str, call: Config, found: Any, folder: Path) -> None:
    """Refuse arguments that are passed on to others, and places to write to outside a folder."""
    parameters = inspect.signature(found).parameters.values()
    names = [
        one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    ]
    given = {name: value for name, value in call.items() if name not in OF_HYDRA}
    is_writer = isinstance(found, type) and issubclass(found, _WRITERS)
    unnamed = [name for name in given if name not in names]
    if is_writer and call.get("_args_"):
        unnamed.append("_args_")
    if unnamed:
        raise _refused_argument(where, f"{key}.{unnamed[0]}", call, "which it does not name itself")
    if not is_writer:
        return
    for name, value in _strings(given):
        last = name.rpartition(".")[2]
        if last in _UPLOADS or not _stays_inside(value, folder, is_place=last in _PLACES):
            outside = f"{value!r}, which is not in the folder of the run"
            raise _refused_argument(where, f"{key}.{name}", call, outside)


def _stays_inside(text: str, folder: Path, *, is_place: bool) -> bool:
    """Return whether a text leads nowhere outside a folder if it is taken for a path."""
    if text.startswith("~") or any(odd in text for odd in _ODD):
        return False
    if not is_place and not Path(text).is_absolute():
        return ".." not in Path(text).parts
    return Path(os.path.abspath(text)).is_relative_to(os.path.abspath(folder))


def _refused_argument(where: Path, key: str, call: Config, said: str) -> ValueError:
    target = call["_target_"]
    return ValueError(
        f"{where} gives {target} at config.{key} {said}: no run.json may, as it could be from "
        f"anybody. If you know what it does and trust it, type trusted='[{target}]'"
    )
