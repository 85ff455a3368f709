"""Training clips: mirrored as a whole, cropped by the frame, priors mirrored only if asked.

What else may be asked for is one framing and one look for all frames of a clip.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from builders.small_lam import finish_store, small_row, write_clip
from builders.small_lam_data import SIZE, module

from common.media.photometric import PhotometricAugmentation
from gazepose.priors import mirror_landmarks


def first_clip(store_dir: Path, **settings: Any) -> dict[str, torch.Tensor]:
    data = module(store_dir, batch_size=64, use_landmarks=True, use_head=True, **settings)
    return next(iter(data.train_dataloader()))


STILL = {"flip": False, "random_crop": False}


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


def test_frames_of_a_clip_share_their_framing(tmp_path: Path) -> None:
    plain = first_clip(gradient_store(tmp_path), **STILL)["clip"].int()
    clips = first_clip(tmp_path, **STILL, max_shift=0.1, least_width_px=112)["clip"].int()
    assert (clips == clips[:, :1]).all()
    # The ramp rises by 4 levels a pixel.
    moved_px = (clips - plain)[:, 0, 0, SIZE // 2, SIZE // 2] / 4
    assert 0.05 * SIZE < moved_px.abs().max() <= 0.1 * SIZE + 0.5
    assert len(moved_px.unique()) > 20
    zoomed = first_clip(tmp_path, **STILL, max_zoom=0.2)["clip"].int()
    slopes = (zoomed[:, 0, 0, 0, 20] - zoomed[:, 0, 0, 0, 11]) / 9 / 4
    assert 0.79 < (1 / slopes).min() < 0.9 < 1.1 < (1 / slopes).max() < 1.27


def test_frames_of_a_clip_share_their_look_but_not_its_noise(tmp_path: Path) -> None:
    looks = {"photometric": PhotometricAugmentation()}
    clips = first_clip(gradient_store(tmp_path), **STILL, **looks)["clip"].double()
    colours = clips.mean((-1, -2))  # (B, 7, 3)
    assert colours.std(1).max() < 1.5
    assert colours[:, 0].std(0).min() > 15
    assert not (clips == clips[:, :1]).flatten(1).all(1).any()


def test_looks_leave_flips_crops_and_priors(tmp_path: Path) -> None:
    plain = first_clip(gradient_store(tmp_path))
    faint = PhotometricAugmentation(strength=0.02)
    found = first_clip(tmp_path, photometric=faint)
    assert (found.pop("clip").int() - plain.pop("clip").int()).abs().float().mean() < 5
    assert all(torch.equal(found[name], plain[name]) for name in plain)


def test_black_frames_stay_black(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    black, grey = np.zeros((SIZE, SIZE, 3), np.uint8), np.full((SIZE, SIZE, 3), 120, np.uint8)
    rows = [
        small_row(generator, "train", "track0", 10 + i, i, image=[black, grey][i % 2], label=i % 2)
        for i in range(30)
    ]
    write_clip(tmp_path, "a", rows, SIZE)
    finish_store(tmp_path)
    is_black = first_clip(tmp_path)["clip"].flatten(2).amax(2) == 0
    assert 0 < is_black.sum() < is_black.numel()
    changes = {"photometric": PhotometricAugmentation(), "max_zoom": 0.1, "least_width_px": 48}
    clips = first_clip(tmp_path, **changes)["clip"].flatten(2)
    assert torch.equal(clips.amax(2) == 0, is_black)
