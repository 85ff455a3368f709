"""How heads and cameras move over the frames of a video, and how eyes blink."""

import numpy as np

from common.arrays import Float

# A smoothing kernel ends here, in time constants.
KERNEL_REACH = 3
# Closure of the lids in the frames of a blink at 30 Hz; closing is faster than opening.
BLINK_CLOSURE = np.array([0.35, 0.85, 1.0, 1.0, 0.8, 0.45, 0.15])
BLINKS_PER_FRAME = 1 / 110


def smooth_noise(
    rng: np.random.Generator, num_frames: int, spread: Float | float, tau_frames: float, width: int
) -> Float:
    """Return slow random movement (num_frames, width) about zero, of a standard deviation `spread`.

    It is white noise, smoothed by a Gaussian of the standard deviation `tau_frames`.
    """
    reach = int(np.ceil(KERNEL_REACH * tau_frames))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / tau_frames) ** 2)
    kernel /= np.linalg.norm(kernel)
    white = rng.standard_normal((num_frames + 2 * reach, width))
    smooth = [np.convolve(column, kernel, mode="valid") for column in white.T]
    return np.stack(smooth, 1) * spread


def follow(targets: Float, tau_frames: float) -> Float:
    """Return positions (N, k) that follow jumping targets (N, k) without jumping themselves.

    A critically damped spring with the time constant `tau_frames`, at rest on the first target.
    """
    position, speed = targets[0].astype(np.float64), np.zeros(targets.shape[1])
    followed = np.empty(targets.shape)
    for frame, target in enumerate(targets):
        speed = speed + ((target - position) / tau_frames - 2 * speed) / tau_frames
        position = position + speed
        followed[frame] = position
    return followed


def excursion(num_frames: int, start: int, there: int, stay: int, back: int) -> Float:
    """Return (num_frames,) 0, then a smooth rise to 1, a stay, and a smooth fall back to 0."""
    frame = np.arange(num_frames) - start
    rise = np.clip(frame / there, 0, 1)
    fall = np.clip((frame - there - stay) / back, 0, 1)
    return 0.5 * (np.cos(np.pi * fall) - np.cos(np.pi * rise))


def blinks(rng: np.random.Generator, num_frames: int) -> Float:
    """Return how far the lids are shut (num_frames,), 0 open .. 1 shut."""
    closure = np.zeros(num_frames + len(BLINK_CLOSURE))
    for start in np.flatnonzero(rng.random(num_frames) < BLINKS_PER_FRAME):
        window = slice(start, start + len(BLINK_CLOSURE))
        closure[window] = np.maximum(closure[window], BLINK_CLOSURE)
    return closure[:num_frames]
