"""What a run.json of somebody else could name: each leaves a canary, if it is run."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

Call = dict[str, Any]


class _Touches:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self._path,)


def _hub(folder: Path) -> Call:
    text = f"import pathlib\npathlib.Path({str(folder / 'canary')!r}).touch()\ndef go(): return 1\n"
    (folder / "hubconf.py").write_text(text)
    return {"_target_": "torch.hub.load", "repo_or_dir": str(folder), "model": "go"} | {
        "source": "local",
        "trust_repo": True,
    }


def _pickle(target: str) -> Callable[[Path], Call]:
    def call(folder: Path) -> Call:
        (folder / "weights.pkl").write_bytes(pickle.dumps(_Touches(folder / "canary")))
        return {"_target_": target, "f": str(folder / "weights.pkl"), "weights_only": False}

    return call


def _shell(target: str) -> Callable[[Path], Call]:
    return lambda folder: {"_target_": target, "_args_": [f"touch {folder / 'canary'}"]}


def _command(target: str) -> Callable[[Path], Call]:
    return lambda folder: {
        "_target_": target,
        "command": ["touch", str(folder / "canary")],
        "folder": str(folder),
    }


def _path(name: str, *arguments: str, module: str = "common.runs.snapshot") -> Any:
    def call(folder: Path) -> Call:
        path = {"_target_": f"{module}.Path", "_args_": [str(folder / "canary")]}
        return {"_target_": f"{module}.Path.{name}", "_args_": [path, *arguments]}

    return call


def _unlink(module: str) -> Callable[[Path], Call]:
    return lambda folder: {
        "_target_": f"{module}.Path.unlink",
        "_args_": [{"_target_": f"{module}.Path", "_args_": [str(folder / "victim")]}],
    }


def _written(target: str) -> Callable[[Path], Call]:
    def call(folder: Path) -> Call:
        path = {"_target_": "common.runs.snapshot.Path", "_args_": [str(folder / "canary")]}
        return {"_target_": target, "_args_": [path, "x"]}

    return call


def _later(folder: Path) -> Call:
    """Left as it is by Hydra, and built by what it is given to."""
    return {
        "_target_": "common.config.instantiate.build",
        "_recursive_": False,
        "config": _shell("torch.utils.collect_env.run")(folder),
    }


def _imported(folder: Path) -> Call:
    """Run by the import alone."""
    (folder / "strange_nets.py").write_text(
        f"import pathlib\npathlib.Path({str(folder / 'canary')!r}).touch()\nclass Net: pass\n"
    )
    return {"_target_": "strange_nets.Net"}


HOSTILE: dict[str, Callable[[Path], Call]] = {
    "torch.hub.load": _hub,
    "torch.load": _pickle("torch.load"),
    "torch.serialization.load": _pickle("torch.serialization.load"),
    "collect_env": _shell("torch.utils.collect_env.run"),
    "torchrun": lambda folder: {
        "_target_": "torch.distributed.run.main",
        "args": ["--no-python", "touch", str(folder / "canary")],
    },
    "run_quietly": _command("common.runs.snapshot._run_quietly"),
    "run_quietly, old": _command("common.snapshot._run_quietly"),
    "popen": _shell("common.runs.snapshot.subprocess.getoutput"),
    "os.system": _shell("os.system"),
    "os.system, of torch": _shell("torch.os.system"),
    "getoutput": _shell("subprocess.getoutput"),
    "exec": lambda folder: {
        "_target_": "builtins.exec",
        "_args_": [f"open({str(folder / 'canary')!r}, 'w')"],
    },
    "write_text": _path("write_text", "x"),
    "touch, old": _path("touch", module="common.pictures"),
    "touch, of Lightning": _path("touch", module="pytorch_lightning.callbacks.model_checkpoint"),
    "os.system, of torch.nn": _shell("torch.nn.modules.module.torch.os.system"),
    "unlink": _unlink("common.runs.snapshot"),
    "unlink, old": _unlink("common.study"),
    "write_text_atomically": _written("common.report.page.write_text_atomically"),
    "write_text_atomically, at home": _written("common.files.atomic.write_text_atomically"),
    "raw folder": lambda folder: {
        "_target_": "common.synthetic.columbia.writer.write_columbia",
        "raw_dir": str(folder / "canary"),
        "num_subjects": 1,
    },
    "raw folder, old": lambda folder: {
        "_target_": "common.synthetic.columbia.write_columbia",
        "raw_dir": str(folder / "canary"),
        "num_subjects": 1,
    },
    "get_method": lambda folder: {"_target_": "hydra.utils.get_method", "path": "os.system"},
    "instantiate": lambda folder: {
        "_target_": "hydra.utils.instantiate",
        "_recursive_": False,
        "config": _shell("torch.utils.collect_env.run")(folder),
    },
    "built later": _later,
    "imported": _imported,
    "main": lambda folder: {"_target_": "common.report.__main__.main"},
}
# Hydra itself would run them, and soon.
SINGING = (
    *("torch.hub.load", "torch.load", "torch.serialization.load", "collect_env", "run_quietly"),
    *("write_text", "unlink", "write_text_atomically", "built later", "imported"),
)


def cage(folder: Path) -> Path:
    """Return a folder with a victim in it."""
    (folder / "victim").touch()
    return folder


def has_run(folder: Path) -> bool:
    return (folder / "canary").exists() or not (folder / "victim").exists()


def write_run(folder: Path, config: dict[str, Any]) -> Path:
    """Write the run.json of a finished run of this config."""
    folder.mkdir(parents=True, exist_ok=True)
    snapshot = {
        "status": "finished",
        "starts": [{"time": "2026-01-01T00:00:00+00:00", "ckpt_path": None}],
        "config": config,
        "choices": {},
        "data": {"name": config["data"]["name"], "recipe": {}},
        "versions": {},
        "metrics": {},
    }
    (folder / "run.json").write_text(json.dumps(snapshot))
    return folder
