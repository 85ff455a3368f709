"""What makes an invented person: measures, colours, hair, glasses, clothes.

Face axes, used throughout the package: origin in the middle of the head at eye height, x to the
image's right, y down, f out of the face; centimetres. (They are left-handed on purpose: x and y
then run as in the image of a person who faces the camera.) Colours are linear RGB in [0, 1].
"""

from dataclasses import dataclass
from enum import Enum

from common.arrays import Float

Colour = Float


class HairCut(Enum):
    """The haircuts; `hair.py` holds their outlines."""

    BUZZ = "buzz"
    SHORT = "short"
    FRINGE = "fringe"
    SIDE_PART = "side_part"
    RECEDING = "receding"
    BALD = "bald"
    CURLY = "curly"
    PULLED_BACK = "pulled_back"
    BOB = "bob"
    LONG = "long"


@dataclass(frozen=True)
class Skull:
    """Head outline: half axes and the bony relief, in cm; ratios without unit."""

    half_width_cm: float
    half_height_cm: float
    half_depth_cm: float
    chin_stretch: float
    jaw_taper: float
    squareness: float
    chin_cm: float
    cheek_cm: float
    brow_ridge_cm: float
    socket_cm: float
    ear_cm: float


@dataclass(frozen=True)
class Nose:
    """Nose: how far it stands out, its half width, the height of its tip, its bridge."""

    height_cm: float
    half_width_cm: float
    tip_y_cm: float
    bridge_cm: float


@dataclass(frozen=True)
class Mouth:
    """Mouth: the y of its line, its size, and the expression.

    Attributes:
        smile: 0 none .. 1 clear.
        open_cm: how far the lips are apart in the middle.
        teeth: whether an open mouth shows the upper ones.
    """

    y_cm: float
    half_width_cm: float
    upper_lip_cm: float
    lower_lip_cm: float
    smile: float
    open_cm: float
    teeth: bool
    lip_tint: float


@dataclass(frozen=True)
class Eyes:
    """Both eyes (they are mirror images): spacing of the centres, lids, ball, colours.

    Attributes:
        corner_cm: how far the corners of the lids are below the ball's centre; the lids' heights
            count from there.
        outset_cm: how far the middle of the lids lies outwards of the ball's centre.
        slant: how far the outer corner lies behind the inner one, in parts of the eye's width.
        kappa_rad: (2,) outward and up: from where the person looks to where the iris points.
        shade: how dark the socket is around the eye, in [0, 1].
    """

    spacing_cm: float
    half_width_cm: float
    corner_cm: float
    outset_cm: float
    slant: float
    upper_cm: float
    lower_cm: float
    tilt: float
    peak: float
    crease_cm: float
    ball_radius_cm: float
    protrusion_cm: float
    kappa_rad: Float
    iris_radius_cm: float
    iris_rgb: Colour
    sclera_rgb: Colour
    redness: float
    lash: float
    shade: float


@dataclass(frozen=True)
class Brows:
    """Eyebrows: height, thickness, arch, density in [0, 1], half length."""

    y_cm: float
    thickness_cm: float
    arch_cm: float
    slant: float
    density: float
    length_cm: float


@dataclass(frozen=True)
class Skin:
    """Skin colour and what age and sun did to it; the last four in [0, 1]."""

    rgb: Colour
    flush: float
    freckles: float
    wrinkles: float
    shine: float


@dataclass(frozen=True)
class Hair:
    """Hair: cut, colour, hairline shift, volume, side of the parting (-1 or 1), length.

    `length_cm` is how far long hair hangs below the eyes.
    """

    cut: HairCut
    rgb: Colour
    hairline_cm: float
    volume_cm: float
    part_side: int
    curl: float
    length_cm: float


@dataclass(frozen=True)
class Beard:
    """Beard density in [0, 1] on the jaw and above the lip; 0 is shaven."""

    jaw: float
    moustache: float


@dataclass(frozen=True)
class Glasses:
    """Glasses: half size of a rim, its squareness (2 oval .. 6 box), wire width, colour."""

    half_width_cm: float
    half_height_cm: float
    squareness: float
    wire_cm: float
    rgb: Colour
    reflection: float


@dataclass(frozen=True)
class Outfit:
    """Clothes and neck: colour, stripes (0 none), shape of the neckline, build."""

    rgb: Colour
    stripe_rgb: Colour
    stripes: float
    neckline_cm: float
    neck_half_width_cm: float
    shoulder_cm: float


@dataclass(frozen=True)
class Traits:
    """Everything that tells one invented person from another."""

    seed: int
    skull: Skull
    nose: Nose
    mouth: Mouth
    eyes: Eyes
    brows: Brows
    skin: Skin
    hair: Hair
    beard: Beard
    glasses: Glasses | None
    outfit: Outfit
