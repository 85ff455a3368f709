"""Gaze pretraining: its faces, its module, and that a net starts from what it leaves."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
import torch
from builders.small_gaze import shown_gaze, write_small_gaze
from builders.small_lam import write_small_lam
from builders.small_lam_data import batches
from builders.small_trainer import small_trainer
from builders.small_training import one_thread
from pytorch_lightning.callbacks import ModelCheckpoint

from common.media.photometric import PhotometricAugmentation
from common.training.reproducibility import EpochSeed
from gazepose.nets.backbones import resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.pixels import normalise
from gazepose.originals.start_weights import start_net
from gazepose.pretraining.datamodule import GazeBatch, GazeFacesDataModule
from gazepose.pretraining.module import GazePretrainingModule
from gazepose.training.losses import PinballLoss

SIZE = 32
# Narrower ones learn too slowly for a test.
SIZES: dict[str, Any] = {"embedding": 32, "embedding_hidden": 64, "lstm_hidden": 32}


pytestmark = pytest.mark.usefixtures("_one_thread")


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gaze") / "store"
    write_small_gaze(folder)
    return folder


def small_data(store_dir: Path, **settings: Any) -> GazeFacesDataModule:
    defaults = {
        "val_fraction": 0.25,
        "batch_size": 8,
        "image_size": SIZE,
        "zoom": 1.0,
        "random_crop": False,
        "least_width_px": None,
        "num_workers": 0,
        "seed": 0,
    }
    return GazeFacesDataModule("small", str(store_dir), **(defaults | settings))


def small_module(num_epochs: int = 10) -> GazePretrainingModule:
    torch.manual_seed(0)
    return GazePretrainingModule(
        Gaze360(resnet18(4), **SIZES),
        PinballLoss(),
        lambda parameters: torch.optim.Adam(parameters, lr=0.003),
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_epochs),
    )


def epochs_of(data: GazeFacesDataModule, num: int) -> list[dict[str, torch.Tensor]]:
    """What training shows in each epoch."""
    loader, found = data.train_dataloader(), []
    for epoch in range(num):
        loader.batch_sampler.sampler.set_epoch(epoch)  # type: ignore[union-attr]
        found.append(batches(loader))
    return found


# Faces


def test_nobody_is_in_both_parts(store_dir: Path) -> None:
    table = small_data(store_dir).table
    people = {
        part: set(table.filter(pl.col("part") == part)["subject"]) for part in ("train", "val")
    }
    assert [len(people[part]) for part in ("train", "val")] == [3, 1]
    assert not people["train"] & people["val"]
    for part, loader in (
        ("train", small_data(store_dir).train_dataloader()),
        ("val", small_data(store_dir).val_dataloader()),
        ("val", small_data(store_dir).test_dataloader()),
    ):
        rows = batches(loader)["row"].tolist()
        assert set(table[rows]["subject"]) == people[part]
        assert len(rows) == len(set(rows)) == 24 * len(people[part])


def test_the_seed_chooses_who_is_held_out(store_dir: Path) -> None:
    tables = [small_data(store_dir, seed=seed).table for seed in (0, 0, 1, 2, 3)]
    assert tables[0].equals(tables[1])
    assert any(not tables[0].equals(table) for table in tables[2:])


def test_evaluation_shows_faces_as_they_are_in_the_stores_order(store_dir: Path) -> None:
    data = small_data(store_dir, random_crop=True, least_width_px=8)
    found = batches(data.val_dataloader())
    assert found["clip"].shape == (24, 1, 3, SIZE, SIZE)
    assert found["clip"].dtype == torch.uint8
    assert found["row"].tolist() == sorted(found["row"].tolist())
    table = data.table[found["row"].tolist()]
    stored = table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy()
    np.testing.assert_allclose(found["gaze"], stored, atol=1e-6)
    np.testing.assert_allclose(shown_gaze(found["clip"][:, 0].numpy()), stored, atol=0.02)


def test_mirrored_faces_look_the_other_way(store_dir: Path) -> None:
    data = small_data(store_dir)
    (found,) = epochs_of(data, 1)
    gaze, stored = found["gaze"].numpy(), data.table[found["row"].tolist()]
    # The pictures are exact to a level, the slope from edge to edge to a fiftieth.
    np.testing.assert_allclose(shown_gaze(found["clip"][:, 0].numpy()), gaze, atol=0.02)
    np.testing.assert_allclose(gaze[:, 1], stored["gaze_pitch_rad"], atol=1e-6)
    is_mirrored = np.sign(gaze[:, 0]) != np.sign(stored["gaze_yaw_rad"].to_numpy())
    turned = np.where(is_mirrored, -1, 1) * stored["gaze_yaw_rad"].to_numpy()
    np.testing.assert_allclose(gaze[:, 0], turned, atol=1e-6)
    assert 0.3 < is_mirrored.mean() < 0.7


def test_crops_and_small_faces_keep_their_gaze(store_dir: Path) -> None:
    plain, changed = (
        epochs_of(small_data(store_dir, **settings), 1)[0]
        for settings in ({}, {"random_crop": True, "least_width_px": 8})
    )
    assert torch.equal(plain["row"], changed["row"])
    assert torch.equal(plain["gaze"], changed["gaze"])
    assert not torch.equal(plain["clip"], changed["clip"])
    # A crop shows a part of the slope: its direction stays.
    shown = shown_gaze(changed["clip"][:, 0].numpy())
    clear = np.abs(changed["gaze"].numpy()) > 0.1
    assert (np.sign(shown) == np.sign(changed["gaze"].numpy()))[clear].all()


def test_framings_and_looks_keep_their_gaze(store_dir: Path) -> None:
    changes = {"max_shift": 0.05, "max_zoom": 0.1, "photometric": PhotometricAugmentation(0.1)}
    plain, changed = (
        epochs_of(small_data(store_dir, **settings), 1)[0] for settings in ({}, changes)
    )
    assert torch.equal(plain["gaze"], changed["gaze"])
    assert not torch.equal(plain["clip"], changed["clip"])
    # Weak looks leave which side is redder, and how much brighter it is above.
    clips, others = (one["clip"].double().flatten(1) for one in (plain, changed))
    alike = [np.corrcoef(one, other)[0, 1] for one, other in zip(clips, others, strict=True)]
    assert np.median(alike) > 0.8


def test_epochs_differ_and_are_functions_of_the_seed(store_dir: Path) -> None:
    settings = {"random_crop": True, "least_width_px": 16}
    first, second = epochs_of(small_data(store_dir, **settings), 2)
    assert not torch.equal(first["row"], second["row"])
    again = epochs_of(small_data(store_dir, **settings), 2)[1]
    for name, value in second.items():
        assert torch.equal(value, again[name]), name
    (other,) = epochs_of(small_data(store_dir, seed=5, **settings), 1)
    assert other["row"].tolist() != first["row"].tolist()


def test_loader_processes_change_no_face(store_dir: Path) -> None:
    settings = {"random_crop": True, "least_width_px": 16}
    here, there = (
        batches(small_data(store_dir, num_workers=num, **settings).train_dataloader())
        for num in (0, 1)
    )
    for name, value in here.items():
        assert torch.equal(value, there[name]), name


def test_the_fingerprint_tells_data_and_split(store_dir: Path, tmp_path: Path) -> None:
    first = small_data(store_dir).fingerprint()
    assert first == small_data(store_dir).fingerprint()
    assert (first["name"], first["recipe"]["gaze_convention"]) == ("small", "slopes")
    other_split = small_data(store_dir, val_fraction=0.5).fingerprint()
    write_small_gaze(tmp_path, num_faces=23)
    other_faces = small_data(tmp_path).fingerprint()
    assert len({one["table_sha256"] for one in (first, other_split, other_faces)}) == 3


def test_a_store_without_gaze_is_refused(tmp_path: Path) -> None:
    write_small_lam(tmp_path)
    with pytest.raises(ValueError, match=rf"{tmp_path}.* gaze"):
        small_data(tmp_path)


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    write_small_gaze(tmp_path, num_people=1, num_faces=2)
    with pytest.raises(ValueError, match=r" 1 people.* 1"):
        small_data(tmp_path)


@pytest.mark.parametrize("width", [0, 225])
def test_a_width_that_no_face_has_is_refused(store_dir: Path, width: int) -> None:
    with pytest.raises(ValueError, match=f"least_width_px.* {width}.* 1 to 224"):
        small_data(store_dir, least_width_px=width)


def test_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{tmp_path}.*preprocess\.py"):
        small_data(tmp_path)


# The module


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pretraining")


@pytest.fixture(scope="module")
def learned(store_dir: Path, run_dir: Path) -> dict[str, float]:
    """Errors after a short training, whose checkpoint is ``best.ckpt``."""
    best = ModelCheckpoint(run_dir, filename="best", monitor="val/angular_error_deg", mode="min")
    options: Any = {"callbacks": [best, EpochSeed(0)], "enable_checkpointing": True}
    trainer = small_trainer(run_dir, max_epochs=16, **options)
    module, data = small_module(16), small_data(store_dir)
    with one_thread():
        trainer.fit(module, data)
        of_fit = dict(trainer.callback_metrics)
        trainer.test(module, data, ckpt_path="best", weights_only=True, verbose=False)
    return {name: float(value) for name, value in (of_fit | trainer.callback_metrics).items()}


def test_gaze_is_learned(store_dir: Path, learned: dict[str, float]) -> None:
    # Uniform to 0.5 rad either way: looking ahead is 22 degrees off.
    gaze = small_data(store_dir).table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy()
    of_constant = np.rad2deg(np.linalg.norm(gaze, axis=1)).mean()
    assert of_constant > 20
    # 0.68 or 0.79 of it, by how many threads drew the faces.
    assert learned["test/angular_error_deg"] < 0.85 * of_constant
    assert learned["test/angular_error_deg"] <= learned["val/angular_error_deg"] + 1e-4


def test_the_same_seed_gives_the_same_weights(store_dir: Path, tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        module = small_module()
        trainer = small_trainer(tmp_path, max_steps=2, callbacks=[EpochSeed(0)])
        trainer.fit(module, small_data(store_dir))
        found.append(module.state_dict())
    for name, value in found[0].items():
        assert torch.equal(value, found[1][name]), name


@pytest.mark.usefixtures("learned")
def test_a_net_of_the_same_sizes_starts_from_its_checkpoint(run_dir: Path) -> None:
    net = GazeLSTM(resnet18(4), **SIZES)
    untouched = {name: value.clone() for name, value in net.state_dict().items()}
    report = start_net(net, run_dir / "best.ckpt", "backbone")
    trained = torch.load(run_dir / "best.ckpt", weights_only=True)["state_dict"]
    assert set(report.missing) == {"last.0.weight", "last.0.bias"}
    for name, value in net.state_dict().items():
        is_kept = name.startswith("last.")
        expected = untouched[name] if is_kept else trained[f"net.{name}"]
        assert torch.equal(value, expected), name


def test_a_still_is_a_clip_of_seven_equal_frames(store_dir: Path) -> None:
    # As photos are shown to the nets that start from it.
    batch = batches(small_data(store_dir).val_dataloader())
    module = small_module().eval()
    clips = normalise(batch["clip"].expand(-1, 7, -1, -1, -1))
    with torch.inference_mode():
        shown, of_clips = module(cast(GazeBatch, batch)), module.net(clips)
        of_stills = module.net(normalise(batch["clip"]))
    torch.testing.assert_close(shown, tuple(of_clips))
    assert not torch.allclose(shown[0], of_stills.gaze, atol=1e-3)


def test_the_scheduler_belongs_to_the_optimizer() -> None:
    configured = small_module().configure_optimizers()
    assert configured["lr_scheduler"].optimizer is configured["optimizer"]


def test_originals_are_refused_with_what_to_type(tmp_path: Path) -> None:
    module, path = small_module(), tmp_path / "gaze360_model.pth.tar"
    with pytest.raises(ValueError, match=r"model=gazelstm model\.init_checkpoint=.*gaze360"):
        module.load_original(path, None)
    with pytest.raises(ValueError, match=r"export=.*gazelstm.*gazepose.*best\.ckpt"):
        module.export_checkpoint(tmp_path / "best.ckpt", path)
    with pytest.raises(ValueError, match=rf"ckpt_path={path}.*model\.init_checkpoint={path}"):
        module.import_checkpoint(path, tmp_path / "x.ckpt", small_trainer(tmp_path))
