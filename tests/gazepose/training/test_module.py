"""The Lightning module of eye contact: weights, optimised parameters, mirror average, files."""

from pathlib import Path
from typing import Any

import pytest
import torch
from builders.small_lam import write_small_lam
from builders.small_nets import (
    FRAMES,
    save_checkpoint_of,
    small_gaze360,
    small_gazelstm,
    small_gazepose,
    small_module,
)
from builders.small_trainer import small_trainer
from torch import Tensor

from gazepose.batch import ClipBatch
from gazepose.data.datamodule import LamDataModule
from gazepose.nets.backbones import resnet18
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.parts import ClipNet
from gazepose.priors import mirror_landmarks

SIZE = 32


pytestmark = pytest.mark.usefixtures("_one_thread")
# What a training starts from is seen after one step.
ONE_STEP = {"limit_train_batches": 1, "limit_val_batches": 0}


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("module") / "store"
    write_small_lam(folder, clips={"train": 2, "val": 1, "test": 1})
    return folder


def small_data(store_dir: Path, **settings: Any) -> LamDataModule:
    defaults = {"image_size": SIZE, "num_workers": 0, "val_stride": 2, "batch_size": 8}
    return LamDataModule("small", str(store_dir), **(defaults | settings))


def with_priors(store_dir: Path, **settings: Any) -> LamDataModule:
    return small_data(store_dir, use_head=True, use_landmarks=True, **settings)


def small_clips(num: int = 3) -> ClipBatch:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(num, 15, generator=generator)
    return ClipBatch(
        clip=torch.randint(0, 256, (num, 7, 3, SIZE, SIZE), generator=generator, dtype=torch.uint8),
        head_bins=torch.randint(0, 91, (num, 3), generator=generator),
        landmarks=torch.cat([2 * points[:, :10] - 1, points[:, 10:]], 1),
        label=torch.arange(num) % 2,
        row=torch.arange(num),
    )


class Asked(ClipNet):
    """Keeps what it is asked; answers with the mean of each clip's left half."""

    def __init__(self) -> None:
        super().__init__(resnet18(4), **FRAMES)
        self.asked: list[tuple[Tensor, Tensor | None]] = []

    def forward(
        self, clip: Tensor, head_bins: Tensor | None = None, landmarks: Tensor | None = None
    ) -> Tensor:
        self.asked.append((clip, landmarks))
        left = clip[..., : SIZE // 2].flatten(1).mean(1)
        return torch.stack([torch.zeros_like(left), left], 1)


# What is trained, and from what


def test_class_weights_are_those_of_the_training_data(store_dir: Path) -> None:
    module, data = small_module(), with_priors(store_dir)
    assert module.loss.weight.tolist() == [1, 1]
    module.adopt(data)
    torch.testing.assert_close(module.loss.weight, torch.tensor(data.class_weights()))
    # A third looks: the rarer class weighs more.
    assert module.loss.weight[0] < 0.5 < module.loss.weight[1]
    # They travel with the weights.
    other = small_module()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other.loss.weight, module.loss.weight)


def test_only_what_is_not_frozen_is_optimised() -> None:
    net = GazeLSTM(resnet18(4, frozen=True), **FRAMES)
    optimizer = small_module(net).configure_optimizers()
    trained = {id(value) for group in optimizer.param_groups for value in group["params"]}
    for name, value in net.named_parameters():
        assert (id(value) in trained) is not name.startswith("backbone."), name


def test_the_originals_landmark_codes_are_not_optimised() -> None:
    counts = []
    for train_codes in (False, True):
        net = small_gazepose(train_landmark_codes=train_codes)
        (group,) = small_module(net).configure_optimizers().param_groups
        counts.append(len(group["params"]))
    assert counts[0] < counts[1] == len(list(net.parameters()))


def test_the_scheduler_belongs_to_the_optimizer() -> None:
    module = small_module(
        scheduler=lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    )
    configured = module.configure_optimizers()
    assert configured["lr_scheduler"].optimizer is configured["optimizer"]


def test_the_memory_format_changes_no_number() -> None:
    expected = small_module()(small_clips())
    found = small_module(channels_last=True)(small_clips())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


# The mirror image


def test_the_net_sees_normalised_pixels() -> None:
    net, batch = Asked(), small_clips()
    small_module(net)(batch)
    mean, std = (
        torch.tensor(values)[:, None, None]
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    torch.testing.assert_close(net.asked[0][0], (batch["clip"] / 255 - mean) / std)


def mirrored(batch: ClipBatch, mirrors_priors: bool) -> ClipBatch:
    changed = ClipBatch(**batch)
    changed["clip"] = batch["clip"].flip(-1)
    if mirrors_priors:
        changed["landmarks"] = mirror_landmarks(batch["landmarks"])
    return changed


@pytest.mark.parametrize("mirror_priors", [False, True])
def test_flip_average_is_the_mean_of_both_and_the_same_for_both(mirror_priors: bool) -> None:
    batch = small_clips()
    other = mirrored(batch, mirror_priors)
    with torch.inference_mode():
        plain = small_module(mirror_priors=mirror_priors)
        one, two = plain.scores(batch), plain.scores(other)
        average = small_module(flip_average=True, mirror_priors=mirror_priors)
        found, of_mirror = average.scores(batch), average.scores(other)
    assert (one - two).abs().max() > 1e-5
    torch.testing.assert_close(found, (one + two) / 2, atol=1e-6, rtol=0)
    torch.testing.assert_close(of_mirror, found, atol=1e-6, rtol=0)


@pytest.mark.parametrize("mirror_priors", [False, True])
def test_the_mirror_image_has_mirrored_landmarks_only_if_asked(mirror_priors: bool) -> None:
    net, batch = Asked(), small_clips()
    before = batch["landmarks"].clone()
    small_module(net, flip_average=True, mirror_priors=mirror_priors).scores(batch)
    expected = mirrored(batch, mirror_priors)["landmarks"]
    for found, wanted in zip(net.asked, (before, expected), strict=True):
        assert found[1] is not None
        assert torch.equal(found[1], wanted)
    assert torch.equal(batch["landmarks"], before)


# Weights to start from


def unmoved(module_settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a module whose parameters training does not move."""
    return {**module_settings, "optimizer": lambda values: torch.optim.SGD(values, lr=0.0)}


@pytest.mark.parametrize("init_part", ["backbone", "all"])
def test_a_fresh_training_starts_from_the_given_weights(
    store_dir: Path, tmp_path: Path, init_part: Any
) -> None:
    start, untouched = small_gazelstm(5), small_gazelstm(0)
    path = save_checkpoint_of(tmp_path / "start.ckpt", start)
    settings = unmoved({"init_checkpoint": str(path), "init_part": init_part})
    module = small_module(small_gazelstm(0), **settings)
    small_trainer(tmp_path, max_epochs=1, **ONE_STEP).fit(module.train(), small_data(store_dir))
    for name, value in module.net.named_parameters():
        is_taken = init_part == "all" or not name.startswith("last.")
        source = start if is_taken else untouched
        assert torch.equal(value, source.get_parameter(name)), name


def test_gaze_pretraining_starts_gazepose(store_dir: Path, tmp_path: Path) -> None:
    start, untouched = small_gaze360(5), small_gazepose(0)
    path = save_checkpoint_of(tmp_path / "gaze360.ckpt", start)
    module = small_module(**unmoved({"init_checkpoint": str(path)}))
    small_trainer(tmp_path, max_epochs=1, **ONE_STEP).fit(module.train(), with_priors(store_dir))
    assert torch.equal(module.net.lstm.weight_hh_l0, start.lstm.weight_hh_l0)
    assert torch.equal(module.net.last[1].weight, untouched.last[1].weight)


def test_a_resumed_training_keeps_its_own_weights(store_dir: Path, tmp_path: Path) -> None:
    path = save_checkpoint_of(tmp_path / "start.ckpt", small_gazelstm(5))
    settings = unmoved({"init_checkpoint": str(path)})
    data, last = small_data(store_dir), tmp_path / "last.ckpt"
    trainer = small_trainer(tmp_path, max_epochs=1, **ONE_STEP)
    first = small_module(small_gazelstm(0), **settings)
    trainer.fit(first.train(), data)
    with torch.no_grad():
        first.net.lstm.weight_hh_l0.add_(1)
    trainer.save_checkpoint(last)
    # It goes on where the file that it started from is not at hand.
    path.unlink()
    trainer = small_trainer(tmp_path, max_epochs=1, **ONE_STEP)
    with pytest.raises(ValueError, match=r"start\.ckpt"):
        trainer.fit(small_module(small_gazelstm(1), **settings), data)
    trainer = small_trainer(tmp_path, max_epochs=2, **ONE_STEP)
    second = small_module(small_gazelstm(1), **settings)
    trainer.fit(second.train(), data, ckpt_path=str(last), weights_only=True)
    assert trainer.current_epoch == 2
    for name, value in second.net.named_parameters():
        assert torch.equal(value, first.net.get_parameter(name)), name


def test_a_test_takes_no_start(store_dir: Path, tmp_path: Path) -> None:
    module = small_module(small_gazelstm(), init_checkpoint=str(tmp_path / "nowhere.ckpt"))
    small_trainer(tmp_path).test(module, small_data(store_dir), verbose=False)


def test_an_unknown_part_to_start_from_is_refused() -> None:
    with pytest.raises(ValueError, match=r"init_part.*'half'.*'backbone', 'all'"):
        small_module(init_part="half")


# The originals' files


def test_an_originals_file_is_not_resumed_from(tmp_path: Path) -> None:
    path = tmp_path / "GazePose.pth"
    with pytest.raises(ValueError, match=f"model.init_checkpoint={path} model.init_part=all"):
        small_module().import_checkpoint(path, tmp_path / "x.ckpt", small_trainer(tmp_path))


@pytest.mark.parametrize("make", [small_gazelstm, small_gazepose])
def test_exported_weights_load_as_an_originals_and_give_equal_logits(
    tmp_path: Path, make: Any
) -> None:
    trained = small_module(make(3))
    checkpoint = tmp_path / "best.ckpt"
    torch.save({"state_dict": trained.state_dict()}, checkpoint)
    exported = tmp_path / "folder" / "original.pth"
    # Another's weights are exported, not those of the module at hand.
    small_module(make(1)).export_checkpoint(checkpoint, exported)
    loaded = small_module(make(2))
    assert loaded.load_original(exported, None) == {"name": "published", "recipe": {}}
    with torch.inference_mode():
        assert torch.equal(loaded(small_clips()), trained(small_clips()))


def test_the_name_of_an_originals_training_data_is_the_given_one(tmp_path: Path) -> None:
    checkpoint, exported = tmp_path / "best.ckpt", tmp_path / "original.pth"
    module = small_module()
    torch.save({"state_dict": module.state_dict()}, checkpoint)
    module.export_checkpoint(checkpoint, exported)
    assert module.load_original(exported, "ego4d")["name"] == "ego4d"
