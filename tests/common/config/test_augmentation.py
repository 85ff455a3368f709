"""augmentation=none|photometric|full: of all lines, of training alone, and nothing unless typed."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from builders.replays import assert_replayed
from builders.small_gaze import write_small_gaze
from builders.small_lam import write_small_lam
from builders.small_store import write_small_store
from builders.train_configs import train_config
from hydra.errors import ConfigCompositionException
from hydra.utils import get_class

from common.config.instantiate import build
from common.runs.run import build_data

Stored = tuple[str, Path]
Batch = Mapping[str, torch.Tensor]
LINES = {
    "eyes": ["model=flame", "data=columbiagaze", "data.datamodule.split=random"],
    "clips": ["model=gazepose", "data=ego4d", "model.image_size=32"],
    "faces": ["model=gaze360", "data=gaze_faces", "data.name=mine", "model.image_size=32"],
}
FRAMING = {"max_shift", "max_zoom", "least_width_px"}
ADDED = {"eyes": {"augmentation"}, "clips": FRAMING, "faces": FRAMING}
WRITERS: dict[str, Callable[..., None]] = {
    "eyes": write_small_store,
    "clips": write_small_lam,
    "faces": write_small_gaze,
}


@cache
def config_of(line: str, *typed: str) -> dict[str, Any]:
    return train_config(*LINES[line], *typed)


def changed(line: str, *typed: str) -> set[str]:
    """Options that differ from those of a command without augmentation."""
    before, now = (config_of(line, *more)["data"]["datamodule"] for more in ([], typed))
    return {key for key in before | now if before.get(key) != now.get(key)}


@pytest.mark.parametrize("line", LINES)
def test_each_choice_adds_to_the_one_before(line: str) -> None:
    assert changed(line, "augmentation=none") == set()
    assert changed(line, "augmentation=photometric") == {"photometric"}
    assert changed(line, "augmentation=full") == {"photometric", *ADDED[line]}
    only_places = ["augmentation=full", "data.datamodule.photometric=null"]
    assert changed(line, *only_places) == ADDED[line]


@pytest.mark.parametrize("line", LINES)
def test_it_is_recorded_and_replayed(line: str, tmp_path: Path) -> None:
    config = config_of(line, "augmentation=full")
    assert build(config["data"]["datamodule"]["photometric"]).strength == 1
    assert_replayed(config, tmp_path)


def test_an_experiment_of_a_published_result_keeps_its_own() -> None:
    config = train_config("experiment=columbia_eyes", "model=flame")
    target = "flame.data.augmentation.EyeAugmentation"
    assert config["data"]["datamodule"]["augmentation"] == {"_target_": target, "mirror": True}
    assert "photometric" not in config["data"]["datamodule"]


@pytest.mark.parametrize(
    ("line", "typed", "named"),
    [
        ("clips", "augmentation=ful", "augmentation/ful"),
        ("clips", "data.datamodule.photometric.strength=0.5", "photometric"),
        ("eyes", "augmentation=full data.datamodule.least_width_px=24", "least_width_px"),
        ("faces", "augmentation=full data.datamodule.augmentation.mirror=false", "mirror"),
        ("faces", "augmentation=photometric data.datamodule.max_zoom=0.2", "max_zoom"),
        ("eyes", "augmentation=photometric data.datamodule.photometric.noise=0", "noise"),
    ],
)
def test_what_a_choice_or_a_data_set_cannot_take_is_an_error(
    line: str, typed: str, named: str
) -> None:
    with pytest.raises(ConfigCompositionException, match=named):
        train_config(*LINES[line], *typed.split())


@pytest.fixture(scope="module", params=LINES)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A line, and its small store."""
    folder = tmp_path_factory.mktemp("augmented") / "store"
    WRITERS[request.param](folder)
    return request.param, folder


def first_batch(stored: Stored, part: str, *typed: str) -> Batch:
    line, folder = stored
    here = {"store_dir": str(folder), "num_workers": 0, "batch_size": 8}
    data = build_data(config_of(line, *typed), **here)
    batch: Batch = next(iter(getattr(data, f"{part}_dataloader")()))
    return batch


def differing(one: Batch, other: Batch) -> set[str]:
    return {name for name in one if not torch.equal(one[name], other[name])}


@pytest.mark.parametrize("choice", ["photometric", "full"])
def test_training_is_shown_something_else_and_the_same_every_time(
    stored: Stored, choice: str
) -> None:
    plain = first_batch(stored, "train")
    found, again = (first_batch(stored, "train", f"augmentation={choice}") for _ in range(2))
    assert not differing(found, again)
    changes = differing(plain, found)
    assert changes & {"rgb", "clip"}
    # How things look is all that photometric changes.
    assert len(changes) == 1 or choice == "full"


def test_the_device_gives_the_looks_that_the_loader_would(stored: Stored) -> None:
    faint = ["augmentation=full", "data.datamodule.photometric.strength=0.1"]
    on_device = [*faint, "data.datamodule.photometric.on_device=true"]
    plain, by_loader = (first_batch(stored, "train", *typed) for typed in ([], faint))
    sent = first_batch(stored, "train", *on_device)
    data = get_class(config_of(stored[0])["data"]["datamodule"]["_target_"])
    found = data.on_after_batch_transfer(None, sent, 0)
    assert not differing(by_loader, found) - {"rgb", "clip"}
    pixels = "rgb" if "rgb" in plain else "clip"
    off, changed_by = (
        (one[pixels].int() - by_loader[pixels].int()).abs().float().mean() for one in (found, plain)
    )
    # Each draws noise of its own.
    assert off < 2
    assert changed_by > 3 * off


@pytest.mark.parametrize("part", ["val", "test"])
def test_what_is_validated_and_tested_stays_as_it_is(stored: Stored, part: str) -> None:
    plain, found = (first_batch(stored, part, *typed) for typed in ([], ["augmentation=full"]))
    assert not differing(plain, found)
