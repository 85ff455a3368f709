"""A csv of labelled faces, one a row: what can be used, and what is wrong with the rest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path, PurePosixPath

from common.files.foreign_files import path_inside, read_csv

PARTS = ("train", "val", "test")
BOX = ("x1", "y1", "x2", "y2")
IMAGE, LABEL = "image", "looking_at_camera"
COLUMNS = (IMAGE, *BOX, LABEL)
_OPTIONAL = ("part", "person", "source")
_LABELS = {"0": 0, "1": 1}

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class LabelledFace:
    """A row.

    Attributes:
        image: the photo, as the file names it; ``/`` between folders.
        bbox_xyxy_px: left, top, right, bottom in pixels of the upright photo; None: to be found.
        label: 1 looks at the camera, 0 does not.
        where: file and line.
        part: train, val or test; empty: to be drawn.
        person: who it is; empty: nobody knows.
        source: collection that the photo is of; empty: there is but one.
    """

    image: str
    bbox_xyxy_px: Box | None
    label: int
    where: str
    part: str = ""
    person: str = ""
    source: str = ""


@dataclass(frozen=True)
class Fault:
    """A row that cannot be used.

    Attributes:
        image: the photo, as far as the row names one.
        where: file and line.
        kind: what rows of this kind are, in the plural.
        detail: what is wrong with this one.
        source: as `LabelledFace.source`.
    """

    image: str
    where: str
    kind: str
    detail: str
    source: str = ""


@dataclass
class Labels:
    """What label files hold, in their order."""

    faces: list[LabelledFace] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class _RowError(Exception):
    """A row that cannot be used; kind and detail as in `Fault`."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail


def read_labels(path: Path, columns: Sequence[str] | None = None, **same: str) -> Labels:
    """Read a label file.

    Args:
        path: a csv; UTF-8, with or without a byte order mark, any line ends.
        columns: of a file without a header; None where its first line names them: ``image`` and
            ``looking_at_camera``, and as wanted ``x1 y1 x2 y2``, ``part``, ``person``, ``source``;
            others are passed over.
        **same: what all rows have in common, by column, whatever the file says.

    Raises:
        ValueError: If it is no such file.
    """
    labels = Labels()
    for where, row in _rows(path, columns):
        values = {**row, **same}
        try:
            labels.faces.append(_face(values, where))
        except _RowError as error:
            image, source = _image(values), values.get("source", "")
            labels.faults.append(Fault(image, where, error.kind, error.detail, source))
    return labels


def joined(files: Iterable[Labels]) -> Labels:
    """Return several files' labels as one, without rows that others rule out.

    A photo in two parts stays in the later one of train, val, test: it would be trained on and
    tested on.
    """
    files = list(files)
    faces = [face for labels in files for face in labels.faces]
    last_part: dict[str, int] = {}
    for face in faces:
        if face.part:
            last_part[face.image] = max(last_part.get(face.image, 0), PARTS.index(face.part))
    has_box = {face.image for face in faces if face.bbox_xyxy_px is not None}
    seen: dict[tuple[str, Box | None], LabelledFace] = {}
    labels = Labels(faults=[fault for labels in files for fault in labels.faults])
    for face in faces:
        kind = detail = ""
        if face.part and PARTS[last_part[face.image]] != face.part:
            kind = "rows of photos that are in another part, too"
            detail = f"part {face.part}, and {PARTS[last_part[face.image]]} in another row"
        elif face.bbox_xyxy_px is None and face.image in has_box:
            kind, detail = "rows without a box of photos that have boxes", "which face is it?"
        elif (first := seen.setdefault((face.image, face.bbox_xyxy_px), face)) is not face:
            kind = "rows of faces that are named before"
            detail = f"as in {first.where}" + (
                ", with the other label" if first.label != face.label else ""
            )
        if kind:
            labels.faults.append(Fault(face.image, face.where, kind, detail, face.source))
        else:
            labels.faces.append(face)
    return labels


def _rows(path: Path, columns: Sequence[str] | None) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield file and line, and the values by column, of all rows that are not blank."""
    if not path.is_file():
        raise ValueError(f"no label file {path}; expected a csv of {','.join(COLUMNS)}")
    name = f"{path.parent.name}/{path.name}"
    lines = read_csv(path, skipinitialspace=True)
    names = _header(path, next(lines, (1, []))[1]) if columns is None else columns
    for number, values in lines:
        yield f"{name}, line {number}", _named(names, values)


def _header(path: Path, values: Sequence[str]) -> list[str]:
    names = [value.strip() for value in values]
    lacking = [name for name in (IMAGE, LABEL) if name not in names]
    if set(BOX).intersection(names):
        lacking += [name for name in BOX if name not in names]
    twice = sorted({name for name in (*COLUMNS, *_OPTIONAL) if names.count(name) > 1})
    if lacking or twice:
        what = f"lacks the columns {', '.join(lacking)}" if lacking else f"names {twice} twice"
        raise ValueError(
            f"{path}: its first line {what}; it is {','.join(names)[:200]!r}, expected a header as "
            f"{','.join(COLUMNS)} (boxes may be left out; optional: {', '.join(_OPTIONAL)})"
        )
    return names


def _named(names: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    """Return a row's values; "" as a column's name holds what is too many or too few."""
    row = {name: value.strip() for name, value in zip(names, values, strict=False)}
    if len(values) < len(names) or any(values[len(names) :]):
        row[""] = f"{len(values)} fields, expected {len(names)}"
    return row


def _face(values: Mapping[str, str], where: str) -> LabelledFace:
    if values.get(""):
        raise _RowError("rows of another length", values[""])
    image = _image(values)
    if not image:
        raise _RowError("rows that name no image", "no image")
    try:
        path_inside(Path(), image)
    except ValueError as error:
        kind = "rows whose image is none below the folder of images"
        raise _RowError(kind, str(error)) from error
    label, part = values[LABEL], values.get("part")
    if label not in _LABELS:
        raise _RowError("rows with another label than 0 and 1", f"label {label!r}, expected 0 or 1")
    if part is not None and part not in PARTS:
        raise _RowError("rows of an unknown part", f"part {part!r}, expected one of {PARTS}")
    return LabelledFace(
        *(image, _box(values), _LABELS[label], where, part or ""),
        *(values.get(name, "") for name in ("person", "source")),
    )


def _image(values: Mapping[str, str]) -> str:
    image = values.get(IMAGE, "").replace("\\", "/")
    return PurePosixPath(image).as_posix() if image else ""


def _box(values: Mapping[str, str]) -> Box | None:
    texts = [values.get(name, "") for name in BOX]
    if not any(texts):
        return None
    kind, given = "rows whose box is none", f"box {','.join(texts)}"
    try:
        x1, y1, x2, y2 = map(float, texts)
    except ValueError as error:
        raise _RowError(kind, f"{given}, expected four numbers or none") from error
    if not all(map(isfinite, (x1, y1, x2, y2))):
        raise _RowError(kind, f"{given}, expected finite numbers")
    if x2 <= x1 or y2 <= y1:
        expected = "expected x1 < x2 and y1 < y2: left, top, right, bottom"
        raise _RowError(kind, f"{given}, {expected}")
    return x1, y1, x2, y2
