"""Training clips: mirrored as a whole, cropped by the frame, priors mirrored only if asked."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from builders.small_lam import finish_store, small_row, write_clip
from builders.small_lam_data import SIZE, module

from gazepose.priors import mirror_landmarks


def first_clip(store_dir: Path, **settings: Any) -> dict[str, torch.Tensor]:
    data = module(store_dir, batch_size=64, use_landmarks=True, use_head=True, **settings)
    return next(iter(data.train_dataloader()))


def gradient_store(folder: Path) -> Path:
    """Images that tell left from right and whose crops differ from them."""
    generator = np.random.default_rng(0)
    ramp = np.tile(np.arange(60, 60 + 4 * SIZE, 4, np.uint8)[None, :, None], (SIZE, 1, 3))
    rows = [
        small_row(generator, "train", "track0", 10 + i, i, image=ramp, label=i % 2)
        for i in range(150)
    ]
    write_clip(folder, "a", rows, SIZE)
    finish_store(folder)
    return folder


def test_half_of_the_clips_are_mirrored_as_a_whole(tmp_path: Path) -> None:
    clips = first_clip(gradient_store(tmp_path), random_crop=False)["clip"][:, :, 0].int()
    runs_left = clips[..., -1] < clips[..., 0]
    is_flipped = runs_left[:, 0, 0]
    assert (runs_left == is_flipped[:, None, None]).all()
    # 50 clips, 4 standard deviations.
    assert 11 <= is_flipped.sum() <= 39
    plain = first_clip(tmp_path, random_crop=False, flip=False)["clip"][:, :, 0].int()
    assert (plain[..., -1] > plain[..., 0]).all()


def test_every_frame_of_a_clip_has_its_own_crop(tmp_path: Path) -> None:
    clips = first_clip(gradient_store(tmp_path), flip=False)["clip"]
    distinct = [len(torch.unique(clip.flatten(1), dim=0)) for clip in clips]
    # Two crops of a ramp may look the same where only their rows differ.
    assert np.mean(distinct) > 5
    whole = first_clip(tmp_path, flip=False, random_crop=False)["clip"]
    assert all(len(torch.unique(clip.flatten(1), dim=0)) == 1 for clip in whole)


def test_landmarks_are_mirrored_with_their_clip_only_if_asked(tmp_path: Path) -> None:
    gradient_store(tmp_path)
    plain, mirrored = (first_clip(tmp_path, mirror_priors=switch) for switch in (False, True))
    assert torch.equal(plain["clip"], mirrored["clip"])
    assert torch.equal(plain["head_bins"], mirrored["head_bins"])
    is_flipped = plain["clip"][:, 0, 0, 0, -1] < plain["clip"][:, 0, 0, 0, 0]
    wanted = torch.where(
        is_flipped[:, None], mirror_landmarks(plain["landmarks"]), plain["landmarks"]
    )
    assert torch.equal(mirrored["landmarks"], wanted)
    assert not torch.equal(mirrored["landmarks"], plain["landmarks"])
