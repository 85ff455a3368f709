"""A run.json from anybody: what is not admitted does not run, and what is ours still does."""

import copy
import json
import os
import re
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cache
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

import hydra.utils
import pytest
import yaml
from builders.hostile_configs import HOSTILE, SINGING, cage, has_run, write_run
from builders.old_runs import MODELS, OLD_TARGETS, todays, write_old_run
from builders.replays import asked, assert_replayed, replayed
from builders.small_training import SMALL_NET
from builders.train_configs import CONF_DIR, choices, train_config
from hydra.errors import InstantiationException
from omegaconf import OmegaConf

from common.config.checks import check_file_name
from common.config.instantiate import calls
from common.prediction.command import predict
from common.runs.admission import is_admitted
from common.runs.run import build_module

Config = dict[str, Any]
CLASS_PLACES = {
    "net": "model.module.net",
    "loss": "model.module.loss",
    "optimizer": "model.module.optimizer",
    "module": "model.module",
    "data module": "data.datamodule",
}
ARGUMENT_PLACES = {
    "argument of a net": "model.module.net.width",
    "argument of the module": "model.module.statistics",
    "in a list": "model.module.scheduler.milestones.0",
    "asked of the data": "model.inputs.augmentation",
}
TRAINING_PLACES = {
    "logger": "logger.csv",
    "callback": "callbacks.more",
    "callback of a model": "model.callbacks.more",
    "argument of a callback": "callbacks.pictures.painter",
    "argument of the trainer": "trainer.profiler",
}
PREDICTION_PLACES = {
    **{"annotator": "model.annotator", "its argument": "model.annotator.analyzer"},
    "smoothing": "model.callbacks.results.smoothing",
}
BUILT_BY_BOTH = CLASS_PLACES | ARGUMENT_PLACES
BUILT_BY_A_TRAINING = BUILT_BY_BOTH | TRAINING_PLACES
BUILT_BY_A_PREDICTION = BUILT_BY_BOTH | PREDICTION_PLACES


def calls_at(places: Collection[str]) -> list[tuple[str, str]]:
    """Every hostile call at one place, and at every place one of another's and one of ours."""
    everywhere = product(("collect_env", "write_text_atomically, at home"), places)
    return list(dict.fromkeys([*product(HOSTILE, ["net"]), *everywhere]))


@cache
def _config(*typed: str) -> Config:
    return train_config("data=columbiagaze", "model=flame", *SMALL_NET, *typed)


@pytest.fixture
def config() -> Config:
    return copy.deepcopy(_config())


def predicted(run: Path, *, trusted: tuple[str, ...] = (), **said: Any) -> str:
    """Do what ``predict.py run=RUN`` does."""
    return predict({**asked("predict"), "run": str(run), "trusted": [*trusted], **said})


def put(config: Config, place: str, value: Any) -> None:
    """Write a value at a dotted key of nested mappings and lists."""
    *parents, last = place.split(".")
    inner: Any = config
    for key in parents:
        inner = inner[key]
    inner[int(last) if isinstance(inner, list) else last] = value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return cage(tmp_path)


@pytest.mark.parametrize("name", SINGING)
def test_canaries_sing_where_they_are_run(name: str, folder: Path) -> None:
    # torch.load raises where the pickle has done its work.
    with suppress(InstantiationException):
        hydra.utils.instantiate(HOSTILE[name](folder))
    assert has_run(folder)


@pytest.mark.parametrize(("name", "place"), calls_at(BUILT_BY_A_TRAINING))
def test_a_replay_runs_nothing(name: str, place: str, folder: Path, config: Config) -> None:
    key = BUILT_BY_A_TRAINING[place]
    call = HOSTILE[name](folder)
    put(config, key, call)
    run = write_run(folder / "run", config)
    with pytest.raises(ValueError, match=r"run\.json") as refusal:
        replayed(run)
    assert not has_run(folder)
    named = [todays(one["_target_"]) for _, one in calls(call)]
    assert any(target in str(refusal.value) for target in named)
    assert f"config.{key}" in str(refusal.value) or key.startswith("model.inputs")


@pytest.mark.parametrize(("name", "place"), calls_at(BUILT_BY_A_PREDICTION))
def test_a_prediction_runs_nothing(name: str, place: str, folder: Path, config: Config) -> None:
    put(config, BUILT_BY_A_PREDICTION[place], HOSTILE[name](folder))
    run = write_run(folder / "run", config)
    for said in ({"split": "test"}, {"source": "photo.jpg"}, {"export": "net.pth"}):
        with pytest.raises(ValueError, match=r"run\.json"):
            predicted(run, **said)
    assert not has_run(folder)


FORMS: dict[str, Callable[[Config], Any]] = {
    "partial": lambda call: {**call, "_partial_": True},
    "argument by place": lambda call: {"_target_": "flame.nets.flame.Flame", "_args_": [call]},
    "deep inside": lambda call: {
        "_target_": "flame.nets.flame.Flame",
        "width": {"a": [{"b": [call]}]},
    },
    "left as it is": lambda call: {
        "_target_": "flame.nets.flame.Flame",
        "_recursive_": False,
        "_convert_": "none",
        "width": call,
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_hides_a_call(form: str, folder: Path, config: Config) -> None:
    hostile = HOSTILE["collect_env"](folder)
    config["model"]["module"]["net"] = FORMS[form](hostile)
    run = write_run(folder / "run", config)
    for door in (replayed, lambda run: predicted(run, split="test")):
        with pytest.raises(ValueError, match=r"collect_env\.run .*config\.model\.module\.net"):
            door(run)
    assert not has_run(folder)


def test_a_key_with_dots_hides_no_call(folder: Path, config: Config) -> None:
    more = {"callbacks.learning_rate": HOSTILE["write_text_atomically"](folder)}
    config["callbacks"] = {**more, **config["callbacks"]}
    config["callbacks"]["a.b"] = HOSTILE["write_text_atomically"](folder)
    config["callbacks"]["a"] = {"b": config["callbacks"]["learning_rate"]}
    with pytest.raises(ValueError, match=r"write_text_atomically .*config\.callbacks\.a\.b"):
        replayed(write_run(folder / "run", config))


def test_what_a_model_asks_of_the_data_changes_no_target(folder: Path, config: Config) -> None:
    config["model"]["inputs"] = HOSTILE["collect_env"](folder)
    run = write_run(folder / "run", config)
    with pytest.raises(ValueError, match=r"collect_env\.run .*config\.data\.datamodule"):
        predicted(run, split="test")
    assert not has_run(folder)


@pytest.mark.parametrize("value", [None, 3, ["flame.nets.flame.Flame"], {"_target_": "x"}])
def test_a_target_is_a_text(value: Any, tmp_path: Path, config: Config) -> None:
    config["model"]["module"]["net"]["_target_"] = value
    with pytest.raises(ValueError, match=r"config\.model\.module\.net\._target_, .*str"):
        replayed(write_run(tmp_path / "run", config))


def test_nesting_has_an_end(tmp_path: Path, config: Config) -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    config["model"]["module"]["net"]["width"] = deep
    with pytest.raises(ValueError, match=r"run\.json\b.*\b32\b"):
        replayed(write_run(tmp_path / "run", config))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        *(("data.name", "${sing:1}"), ("model.module.net.width", "${oc.env:HOME}")),
        *(("optimized_metric", "a ${name}"), ("data.name", r"\${oc.env:HOME}")),
    ],
)
def test_nothing_is_evaluated(place: str, text: str, folder: Path, config: Config) -> None:
    OmegaConf.register_new_resolver("sing", lambda _: (folder / "canary").touch(), replace=True)
    put(config, place, text)
    run = write_run(folder / "run", config)
    for door in (replayed, lambda run: predicted(run, split="test")):
        with pytest.raises(ValueError, match=rf"run\.json .*config\.{place}\b") as refusal:
            door(run)
        assert os.environ["HOME"] not in str(refusal.value).replace(str(folder), "")
    OmegaConf.clear_resolver("sing")
    assert not has_run(folder)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("callbacks.checkpoint.dirpath", "{folder}/elsewhere"),
        ("callbacks.checkpoint.dirpath", "elsewhere"),
        ("callbacks.checkpoint.dirpath", "~/elsewhere"),
        ("callbacks.checkpoint.filename", "../../elsewhere"),
        ("callbacks.checkpoint.filename", "{folder}/elsewhere"),
        ("callbacks.last.dirpath", "RUN/../elsewhere"),
        ("callbacks.pictures.output_dir", "s3://elsewhere"),
        ("model.callbacks.results.output_dir", "{folder}"),
        ("model.callbacks.results.model_key", "../../elsewhere"),
        ("model.callbacks.results.trained_on", "{folder}/elsewhere"),
        ("logger.csv.save_dir", "{folder}"),
        ("logger.csv.name", "../elsewhere"),
        ("logger.csv.version", "simplecache::elsewhere"),
        ("logger.csv._args_", ["{folder}"]),
        ("trainer.default_root_dir", "{folder}"),
        ("trainer.model_registry", "somebody/net"),
    ],
)
def test_what_is_written_stays_in_the_new_folder(
    place: str, value: Any, tmp_path: Path, config: Config
) -> None:
    put(config, place, json.loads(json.dumps(value).replace("{folder}", str(tmp_path))))
    run = write_run(tmp_path / "run", config)
    owner = place.rpartition(".")[0]
    with pytest.raises(ValueError, match=rf"config\.{owner}\..*trusted='") as refusal:
        replayed(run, new_dir=str(tmp_path / "new"))
    assert "folder" in str(refusal.value) or place.endswith("_args_")


@pytest.mark.parametrize("key", ["entity", "settings", "dir", "init"])
def test_a_logger_passes_nothing_on(key: str, tmp_path: Path) -> None:
    config = copy.deepcopy(_config("logger=wandb"))
    replayed(write_run(tmp_path / "own", config))
    config["logger"]["wandb"][key] = {"base_url": "https://elsewhere"}
    run = write_run(tmp_path / "run", config)
    with pytest.raises(ValueError, match=rf"WandbRunLogger .*config\.logger\.wandb\.{key}"):
        replayed(run)
    replayed(run, trusted=("common.loggers.wandb",))


@pytest.mark.parametrize("name", ["../../elsewhere", "/elsewhere", ".."])
def test_names_of_data_lead_nowhere(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        check_file_name(name)


@pytest.fixture
def my_lab(folder: Path) -> Path:
    """A package of a user's own; it has a net, and says when it is imported."""
    (folder / "my_lab").mkdir()
    (folder / "my_lab" / "__init__.py").touch()
    (folder / "my_lab" / "nets.py").write_text(
        f"import pathlib\npathlib.Path({str(folder / 'canary')!r}).touch()\n"
        "from shutil import rmtree\nfrom flame.nets.flame import FlameB\n"
        "class Net(FlameB):\n    pass\n"
    )
    return folder


def test_what_a_user_trusts_is_built(
    my_lab: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("my_lab", "my_lab.nets"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    config["model"]["module"]["net"]["_target_"] = "my_lab.nets.Net"
    run = write_run(my_lab / "run", config)
    untrusting = ((), ("my_lab.losses",), ("my_lab.net",), ("my_la",))
    for trusted in untrusting:
        with pytest.raises(ValueError, match=r"(?s)my_lab\.nets\.Net .*trusted='\[my_lab\.nets\]'"):
            replayed(run, trusted=trusted)
    assert not has_run(my_lab)
    for trusted in (("my_lab.nets",), ("my_lab",), ("my_lab.nets.Net",)):
        net = build_module(replayed(run, trusted=trusted)).net
        assert type(net).__name__ == "Net"
    with pytest.raises(ValueError, match=r"last\.ckpt"):
        predicted(run, split="test", trusted=("my_lab.nets",))


def test_what_a_trusted_module_imports_is_not_trusted(my_lab: Path, config: Config) -> None:
    config["callbacks"]["more"] = {"_target_": "my_lab.nets.rmtree", "path": str(my_lab)}
    with pytest.raises(ValueError, match=r"trusted='\[my_lab\.nets\.rmtree\]'"):
        replayed(write_run(my_lab / "run", config), trusted=("my_lab.nets",))
    config["callbacks"]["more"] = {"_target_": "my_lab.nets.os.system", "command": "x"}
    with pytest.raises(ValueError, match=r"my_lab\.nets\.os\.system"):
        replayed(write_run(my_lab / "run", config), trusted=("my_lab.nets",))


def test_trust_in_one_is_no_trust_in_another(my_lab: Path, config: Config) -> None:
    config["model"]["module"]["net"]["_target_"] = "my_lab.nets.Net"
    config["model"]["module"]["loss"] = HOSTILE["collect_env"](my_lab)
    run = write_run(my_lab / "run", config)
    with pytest.raises(ValueError, match=r"trusted='\[torch\.utils\.collect_env\]'") as refusal:
        replayed(run, trusted=("my_lab",))
    assert "my_lab" not in str(refusal.value).replace(str(my_lab), "")


def test_a_class_that_is_gone_is_named_with_its_run_and_a_way_out(
    tmp_path: Path, config: Config
) -> None:
    for gone in ("flame.nets.flame.Flame2", "flame.nets.of_mine.Net"):
        config["model"]["module"]["net"]["_target_"] = gone
        run = write_run(tmp_path / "run", config)
        with pytest.raises(ValueError, match=rf"run\b.* {gone} .*commit"):
            replayed(run)


# What preprocess.py, predict.py onnx= and Hydra build, of conf/ only.
_NOT_OF_A_RUN = ("raw_writer", "preprocessor", "launcher", "study_summary", "stand_in")


def _targets_of_conf() -> dict[str, str]:
    """Every target that a config of a run may hold, with a place where it stands."""
    found = {}
    for path in sorted(CONF_DIR.rglob("*.yaml")):
        if path.is_relative_to(CONF_DIR / "hydra"):
            continue
        content = yaml.safe_load(path.read_text())
        for key, call in calls(_with_texts(content)):
            of_a_run = not key.startswith("hydra") and key.split(".")[-1] not in _NOT_OF_A_RUN
            if of_a_run and call["_target_"] != "???":
                found[call["_target_"]] = f"{path.relative_to(CONF_DIR)}: {key}"
    return found


def _with_texts(value: Any) -> Any:
    """A config in which ``{_target_:NAME}`` within an interpolation counts, too."""
    if isinstance(value, dict):
        return {str(key): _with_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_texts(item) for item in value]
    if isinstance(value, str) and "{_target_:" in value:
        return {"_target_": value.partition("{_target_:")[2].partition("}")[0]}
    return value


def test_all_that_conf_names_is_admitted() -> None:
    found = _targets_of_conf()
    refused = {name for name in found if not is_admitted(hydra.utils.get_object(name))}
    assert not refused, f"{[(name, found[name]) for name in refused]}: mark them recordable"
    assert len(found) > 40
    assert {
        *("flame.nets.flame.Flame", "gazepose.nets.backbones.resnet18", "torch.optim.Adam"),
        *("gazepose.preprocessing.preparation.PreparationSettings", "pytorch_lightning.Trainer"),
        *("common.faces.settings.AnalyzerSettings", "flame.data.augmentation.EyeAugmentation"),
    } <= set(found)


@pytest.mark.parametrize(
    "target",
    [
        "common.studies.study.StudySummary",
        "gazepose.preprocessing.preprocessor.LamPreprocessor",
        "flame.preprocessing.preprocessor.FacePreprocessor",
        "common.synthetic.ego4d.writer.write_ego4d",
        "torch.nn.Linear",
        "torch.Tensor",
        "pytorch_lightning.callbacks.LambdaCallback",
        "pytorch_lightning.LightningModule.load_from_checkpoint",
        "gazepose.nets.backbones.pooled",
        "pathlib.Path",
    ],
)
def test_what_a_run_does_not_name_is_not_admitted(target: str) -> None:
    assert not is_admitted(hydra.utils.get_object(target))


def test_what_runs_of_before_named_is_admitted() -> None:
    refused = [
        name for name in OLD_TARGETS if not is_admitted(hydra.utils.get_object(todays(name)))
    ]
    of_no_run = ("write_", "Preprocessor", "StudySummary")
    assert refused == [name for name in OLD_TARGETS if any(word in name for word in of_no_run)]


@pytest.mark.parametrize("model", MODELS)
def test_runs_of_before_are_replayed(model: str, tmp_path: Path) -> None:
    write_old_run(model, tmp_path)
    assert replayed(tmp_path / model)["callbacks"]["checkpoint"]["dirpath"] == "NEW/checkpoints"


# Every choice once, several at a time.
ELSE_IN_CONF = zip_longest(
    *([f"{group}={name}" for name in choices(group)] for group in ("logger", "callbacks")),
    [f"trainer={name}" for name in choices("trainer") if name != "multinode"],
    [f"extras=[{','.join(choices('extras'))}]", "model.module.loss._target_=torch.nn.L1Loss"],
    ["model.module.optimizer._target_=torch.optim.SGD", "model.module.scheduler=null"],
)


@pytest.mark.parametrize("typed", list(ELSE_IN_CONF))
def test_what_else_conf_offers_is_replayed(typed: tuple[str | None, ...], tmp_path: Path) -> None:
    assert_replayed(_config(*(one for one in typed if one)), tmp_path)


@pytest.mark.parametrize("name", ["TorchvisionBackbone", "TimmBackbone"])
def test_other_backbones_are_replayed(name: str, tmp_path: Path) -> None:
    typed = [
        *("data=ego4d", "model=gazepose", "priors=all", "dropout=gaussian"),
        f"model.backbone._target_=gazepose.nets.backbones.{name}",
        *("+model.backbone.name=resnet34", "~model.backbone.width"),
    ]
    assert_replayed(train_config(*typed), tmp_path)
