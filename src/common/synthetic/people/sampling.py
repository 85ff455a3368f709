"""Drawing the traits of an invented person from a seed."""

import numpy as np

from common.synthetic.people.identity import (
    Beard,
    Brows,
    Colour,
    Eyes,
    Glasses,
    Hair,
    HairCut,
    Mouth,
    Nose,
    Outfit,
    Skin,
    Skull,
    Traits,
)

# Keeps these streams apart from other uses of the same seed.
TRAITS_STREAM = 7919

# sRGB skin tones from light to dark.
SKIN_SRGB = np.array(
    [
        [0.95, 0.79, 0.70],
        [0.89, 0.70, 0.59],
        [0.81, 0.60, 0.47],
        [0.67, 0.46, 0.34],
        [0.51, 0.33, 0.24],
        [0.36, 0.23, 0.165],
    ]
)
# Linear; the first two are the dark tones that every skin goes with.
HAIR_RGB = np.array(
    [
        [0.018, 0.015, 0.013],
        [0.045, 0.028, 0.018],
        [0.11, 0.065, 0.035],
        [0.22, 0.135, 0.065],
        [0.40, 0.28, 0.13],
        [0.20, 0.07, 0.028],
    ]
)
GREY_HAIR_RGB = np.array([0.33, 0.32, 0.31])
IRIS_RGB = np.array(
    [
        [0.085, 0.040, 0.018],
        [0.14, 0.070, 0.030],
        [0.24, 0.155, 0.065],
        [0.15, 0.20, 0.09],
        [0.14, 0.23, 0.33],
        [0.24, 0.31, 0.35],
    ]
)
SCLERA_RGB = np.array([0.54, 0.48, 0.45])
# Above this index of SKIN_SRGB only the dark hair and iris colours occur.
DARK_SKIN_INDEX = 2.5
SHORT_CUTS = {
    HairCut.SHORT: 0.25,
    HairCut.SIDE_PART: 0.22,
    HairCut.BUZZ: 0.12,
    HairCut.FRINGE: 0.08,
    HairCut.RECEDING: 0.12,
    HairCut.BALD: 0.09,
    HairCut.CURLY: 0.12,
}
LONG_CUTS = {
    HairCut.LONG: 0.36,
    HairCut.BOB: 0.18,
    HairCut.PULLED_BACK: 0.20,
    HairCut.FRINGE: 0.08,
    HairCut.CURLY: 0.12,
    HairCut.SIDE_PART: 0.06,
}
GLASSES_SHARE = 0.33
# Of people who laugh or speak.
OPEN_MOUTH_SHARE = 0.4
# Standard deviation between people, about a mean that the lids' corners take up.
KAPPA_RAD = np.array([2.0, 2.5]) * np.pi / 180


def sample_traits(seed: int) -> Traits:
    """Return the traits that belong to `seed` (a non-negative integer); always the same."""
    rng = np.random.default_rng([TRAITS_STREAM, seed])
    masculine = bool(rng.random() < 0.5)
    tone = (len(SKIN_SRGB) - 1.001) * rng.random() ** 1.3
    age = float(rng.random())
    hair = _hair(rng, masculine, tone, age)
    nose = _nose(rng, masculine)
    mouth = _mouth(rng, masculine, nose)
    return Traits(
        seed=seed,
        skull=_skull(rng, masculine),
        nose=nose,
        mouth=mouth,
        eyes=_eyes(rng, masculine, tone, mouth.smile),
        brows=_brows(rng, masculine),
        skin=_skin(rng, tone, age, masculine),
        hair=hair,
        beard=_beard(rng, masculine),
        glasses=_glasses(rng) if rng.random() < GLASSES_SHARE else None,
        outfit=_outfit(rng, masculine),
    )


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _skull(rng: np.random.Generator, masculine: bool) -> Skull:
    return Skull(
        half_width_cm=_between(rng, 7.1, 7.9) - 0.2 * (not masculine),
        half_height_cm=_between(rng, 10.7, 11.6),
        half_depth_cm=_between(rng, 9.2, 10.0),
        chin_stretch=_between(rng, 1.15, 1.25) - 0.02 * (not masculine),
        jaw_taper=_between(rng, 0.12, 0.24) + 0.06 * (not masculine),
        squareness=_between(rng, 2.3, 2.65),
        chin_cm=_between(rng, 1.2, 1.9),
        cheek_cm=_between(rng, 0.25, 0.75),
        brow_ridge_cm=_between(rng, -0.1, 0.1) + 0.15 * masculine,
        socket_cm=_between(rng, 0.7, 1.1),
        ear_cm=_between(rng, 1.3, 2.1),
    )


def _nose(rng: np.random.Generator, masculine: bool) -> Nose:
    return Nose(
        height_cm=_between(rng, 2.2, 2.9) + 0.2 * masculine,
        half_width_cm=_between(rng, 0.72, 1.0) + 0.08 * masculine,
        tip_y_cm=_between(rng, 3.0, 3.7),
        bridge_cm=_between(rng, 0.0, 0.3),
    )


def _mouth(rng: np.random.Generator, masculine: bool, nose: Nose) -> Mouth:
    smile = _between(rng, -0.25, 1.0)
    is_open = rng.random() < OPEN_MOUTH_SHARE
    return Mouth(
        y_cm=nose.tip_y_cm + _between(rng, 3.2, 3.9),
        half_width_cm=_between(rng, 2.2, 2.8),
        upper_lip_cm=_between(rng, 0.36, 0.68),
        lower_lip_cm=_between(rng, 0.60, 0.95),
        smile=smile,
        open_cm=_between(rng, 0.25, 1.6) if is_open else 0.0,
        teeth=bool(smile > 0.2 or rng.random() < 0.4),
        lip_tint=_between(rng, 0.35, 0.75) + 0.2 * (not masculine),
    )


def _eyes(rng: np.random.Generator, masculine: bool, tone: float, smile: float) -> Eyes:
    # Cheeks lift the lower lids of who smiles; some squint without.
    squint = max(0.0, smile) * rng.random() if rng.random() < 0.85 else rng.random()
    return Eyes(
        spacing_cm=_between(rng, 5.9, 6.8),
        half_width_cm=_between(rng, 1.36, 1.58),
        corner_cm=_between(rng, 0.13, 0.40),
        outset_cm=_between(rng, 0.04, 0.16),
        slant=_between(rng, 0.12, 0.28),
        upper_cm=_between(rng, 0.48, 0.78) * (1 - 0.30 * squint),
        lower_cm=_between(rng, 0.32, 0.48) * (1 - 0.55 * squint),
        tilt=_between(rng, -0.13, 0.07),
        peak=_between(rng, 0.02, 0.26),
        crease_cm=_between(rng, 0.22, 0.50),
        ball_radius_cm=1.2,
        protrusion_cm=_between(rng, 0.27, 0.52),
        kappa_rad=KAPPA_RAD * np.clip(rng.standard_normal(2), -2, 2),
        iris_radius_cm=_between(rng, 0.57, 0.63),
        iris_rgb=_pick_colour(rng, IRIS_RGB, tone) * rng.uniform(0.15, 0.8),
        sclera_rgb=np.array([0.54, 0.48, 0.45])
        * rng.uniform(0.92, 1.06, 3)
        * rng.uniform(0.4, 0.9),
        redness=_between(rng, 0.2, 1.0),
        lash=_between(rng, 0.70, 0.85) + 0.12 * (not masculine),
        shade=_between(rng, 0.1, 0.75),
    )


def _brows(rng: np.random.Generator, masculine: bool) -> Brows:
    return Brows(
        y_cm=_between(rng, -2.15, -1.50),
        thickness_cm=_between(rng, 0.28, 0.44) + 0.14 * masculine,
        arch_cm=_between(rng, 0.15, 0.55),
        slant=_between(rng, -0.10, 0.22),
        density=_between(rng, 0.6, 0.98),
        length_cm=_between(rng, 1.9, 2.4),
    )


def _skin(rng: np.random.Generator, tone: float, age: float, masculine: bool) -> Skin:
    index = int(tone)
    low, high = SKIN_SRGB[index], SKIN_SRGB[index + 1]
    linear = (low + (high - low) * (tone - index)) ** 2.2
    is_freckled = rng.random() < 0.15 and tone < 1.5
    return Skin(
        rgb=linear * rng.uniform(0.95, 1.05, 3),
        flush=_between(rng, 0.3, 1.0),
        freckles=_between(rng, 0.3, 0.9) if is_freckled else 0.0,
        wrinkles=max(0.0, (age - 0.35) / 0.65),
        shine=_between(rng, 0.3, 0.9) * (1.0 if masculine else 0.8),
    )


def _hair(rng: np.random.Generator, masculine: bool, tone: float, age: float) -> Hair:
    shares = SHORT_CUTS if masculine else LONG_CUTS
    cut = rng.choice(np.array(list(shares)), p=np.array(list(shares.values())))
    rgb = _pick_colour(rng, HAIR_RGB, tone)
    if rng.random() < (age - 0.55) * 1.8:
        rgb = GREY_HAIR_RGB * _between(rng, 0.5, 1.5)
    return Hair(
        cut=cut,
        rgb=rgb,
        hairline_cm=_between(rng, -0.7, 0.7),
        volume_cm=_between(rng, 0.5, 1.3),
        part_side=int(rng.choice([-1, 1])),
        curl=_between(rng, 0.0, 0.6) ** 2,
        length_cm=_between(rng, 14.0, 26.0),
    )


def _beard(rng: np.random.Generator, masculine: bool) -> Beard:
    kind = rng.random() if masculine else 1.0
    density = _between(rng, 0.30, 0.85)
    if kind < 0.25:
        return Beard(density, density)
    if kind < 0.40:
        return Beard(0.22, 0.22)
    if kind < 0.46:
        return Beard(0.0, density)
    return Beard(0.0, 0.0)


def _glasses(rng: np.random.Generator) -> Glasses:
    frames = np.array([[0.015] * 3, [0.06, 0.03, 0.015], [0.25, 0.23, 0.20], [0.05, 0.06, 0.10]])
    return Glasses(
        half_width_cm=_between(rng, 2.25, 2.75),
        half_height_cm=_between(rng, 1.2, 2.1),
        squareness=_between(rng, 2.0, 4.5),
        wire_cm=_between(rng, 0.05, 0.26),
        rgb=frames[rng.integers(len(frames))],
        reflection=_between(rng, 0.0, 0.25),
    )


def _outfit(rng: np.random.Generator, masculine: bool) -> Outfit:
    return Outfit(
        rgb=_fabric(rng),
        stripe_rgb=_fabric(rng),
        stripes=float(rng.choice([0.0, 0.0, 0.6, 1.4])),
        neckline_cm=_between(rng, 0.5, 5.5),
        neck_half_width_cm=_between(rng, 4.5, 5.2) + 0.7 * masculine,
        shoulder_cm=_between(rng, 18.0, 20.0) + 2.0 * masculine,
    )


def _fabric(rng: np.random.Generator) -> Colour:
    grey = rng.uniform(0.02, 0.55) ** 1.6
    return np.clip(grey + (rng.uniform(0, 0.5, 3) ** 2 - 0.08) * 0.7, 0.01, 0.8)


def _pick_colour(rng: np.random.Generator, palette: Colour, tone: float) -> Colour:
    choices = len(palette) if tone < DARK_SKIN_INDEX else 2
    brightness, cast = rng.uniform(0.75, 1.3), rng.uniform(0.94, 1.06, 3)
    return np.clip(palette[rng.integers(choices)] * brightness * cast, 0, 1)
