"""What is wrong with labelled photos, seen in the label files and the photos' headers."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from common.listing import counted, counted_names, listed
from common.media.photo import UnreadablePhotoError, photo_size
from common.preprocessing.findings import Finding, Severity
from gazepose.readers.photos.label_file import PARTS, LabelledFace, Labels

PathOf = Callable[[str, str], Path]


def photo_findings(labels: Labels, path_of: PathOf, where: str) -> list[Finding]:
    """Return which rows and photos cannot be used, and who looks how often.

    `path_of` says where the photo of a name and a source lies.
    """
    found = [*_bad_rows(labels, where), *_bad_photos(labels.faces, path_of, where)]
    num_to_find = sum(face.bbox_xyxy_px is None for face in labels.faces)
    if num_to_find:
        what = f"{counted(num_to_find, 'rows')} without a box: the largest face found counts"
        found.append(Finding("note", what, where))
    found += people_in_several_parts(labels.faces, where)
    return found + list(_balance(labels.faces, where))


def people_in_several_parts(faces: Sequence[LabelledFace], where: str) -> list[Finding]:
    """Return a warning that names whoever would be trained on and tested on; else nothing."""
    parts_of: dict[str, set[str]] = defaultdict(set)
    for face in faces:
        if face.person:
            parts_of[face.person].add(face.part)
    named = [
        f"{person} ({', '.join(part for part in PARTS if part in its)})"
        for person, its in parts_of.items()
        if len(its) > 1
    ]
    what = f"people who are in several parts: {listed(named)}"
    remedy = "leave out the column part: then nobody is in two"
    return [Finding("warning", what, where, remedy)] if named else []


def _bad_rows(labels: Labels, where: str) -> Iterator[Finding]:
    if not labels.faces:
        yield Finding("error", "no row that can be used", where)
    by_kind = defaultdict(list)
    for fault in labels.faults:
        by_kind[fault.kind].append(f"{fault.where} ({fault.detail})")
    for kind, rows in by_kind.items():
        yield Finding("warning", counted_names(rows, kind), where, "left out; correct them")


def _bad_photos(faces: Sequence[LabelledFace], path_of: PathOf, where: str) -> Iterator[Finding]:
    faces_of = defaultdict(list)
    for face in faces:
        faces_of[face.image, face.source].append(face)
    missing: dict[tuple[str, str], Path] = {}
    unreadable, outside = [], []
    for (image, source), its in faces_of.items():
        path = path_of(image, source)
        if not path.is_file():
            missing[image, source] = path
            continue
        try:
            size = photo_size(path)
        except UnreadablePhotoError as error:
            unreadable.append(f"{image} ({error})")
            continue
        outside += [_described(face, size) for face in its if _is_outside(face, size)]
    num_lost = len(missing) + len(unreadable)
    severity: Severity = "warning" if num_lost < len(faces_of) else "error"
    if missing:
        what = counted_names([image for image, _ in missing], "photos that are not there")
        remedy = f"the first is looked for at {next(iter(missing.values()))}"
        yield Finding(severity, what, where, remedy)
    if unreadable:
        what = counted_names(unreadable, "photos that cannot be read")
        yield Finding(severity, what, where, "copy or convert them again, or remove their rows")
    if outside:
        what = counted_names(outside, "boxes outside the photo")
        remedy = "expected are pixels of the photo as it is shown, upright"
        yield Finding("warning", what, where, remedy)


def _is_outside(face: LabelledFace, size: tuple[int, int]) -> bool:
    """Return whether no pixel of a photo is in the box, as preprocessing cuts it."""
    if face.bbox_xyxy_px is None:
        return False
    x1, y1, x2, y2 = face.bbox_xyxy_px
    width, height = size
    is_wide = int(min(width, x2)) > int(max(0, x1))
    return not (is_wide and int(min(height, y2)) > int(max(0, y1)))


def _described(face: LabelledFace, size: tuple[int, int]) -> str:
    box = ",".join(f"{edge:g}" for edge in face.bbox_xyxy_px or ())
    return f"{face.where} ({box} of {size[0]} x {size[1]})"


def _balance(faces: Sequence[LabelledFace], where: str) -> Iterator[Finding]:
    for part in PARTS:
        of_part = [face for face in faces if face.part == part]
        if not of_part:
            yield Finding("warning", f"{part}: no face", where)
            continue
        looks = {face.label for face in of_part}
        yield Finding("note", f"{part}: {_counts(of_part)}", where)
        sources = sorted({face.source for face in of_part if face.source})
        for source in sources if len(sources) > 1 else []:
            its = [face for face in of_part if face.source == source]
            yield Finding("note", f"{part}, {source}: {_counts(its)}", where)
        if len(looks) == 1:
            what = f"{part}: all faces have the label {looks.pop()}"
            use = "training refuses that" if part == "train" else "no mAP is defined on it"
            yield Finding("error" if part == "train" else "warning", what, where, use)


def _counts(faces: Sequence[LabelledFace]) -> str:
    num_looking = sum(face.label for face in faces)
    people = {face.person for face in faces if face.person}
    shown = f"{counted(len(faces), 'faces')} in {counted(len({f.image for f in faces}), 'photos')}"
    known = f" of {counted(len(people), 'persons')}" if people else ""
    return f"{shown}{known}, {num_looking} look at the camera ({num_looking / len(faces):.1%})"
