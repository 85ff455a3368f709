"""Photos by part where nobody published a split: drawn, and steady when photos are added."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from common.part_sizes import part_sizes
from gazepose.readers.photos.label_file import PARTS, LabelledFace


def with_drawn_parts(
    faces: Sequence[LabelledFace], fractions: Sequence[float], seed: int
) -> list[LabelledFace]:
    """Return faces with drawn parts: no photo is in two, and nobody whose name is known.

    Args:
        faces: at least those of three people, or three photos of nobody known.
        fractions: shares of the people, and of the photos of nobody known, in train, val and test.
        seed: chooses the split.

    Raises:
        ValueError: As `part_sizes`.
    """
    unit_of_photo = photo_units([(face.image, face.person) for face in faces])
    units = steadily_shuffled(unit_of_photo.values(), seed)
    sizes = part_sizes(len(units), fractions)
    parts = [part for part, size in zip(PARTS, sizes, strict=True) for _ in range(size)]
    part_of = dict(zip(units, parts, strict=True))
    return [replace(face, part=part_of[unit_of_photo[face.image]]) for face in faces]


def steadily_shuffled(names: Iterable[str], seed: int) -> list[str]:
    """Return distinct names in an order by chance; a further name changes nothing between others.

    With it, few of them move to another part.
    """
    return sorted(set(names), key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())


def photo_units(faces: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return for each photo what must stay together with it: people, and photos they share.

    Args:
        faces: the photo of each face, and its person, empty where nobody knows.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    for image, person in faces:
        photo = f"photo {image}"
        together = sorted({root(photo), root(f"person {person}" if person else photo)})
        # People before photos, so that a person's further photos do not rename the unit.
        parents[together[-1]] = together[0]
    return {image: root(f"photo {image}") for image, _ in faces}
