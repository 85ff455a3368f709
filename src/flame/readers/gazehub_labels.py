"""GazeHub's label files: a header that names the fields, and a line a face.

Cheng et al., "Appearance-based Gaze Estimation With Deep Learning: A Review and Benchmark" (TPAMI
2024) hand round MPIIFaceGaze, EYEDIAP, Gaze360, RT-GENE and ETH-XGaze in this form. A 2D gaze is
[yaw, pitch] in radians, + to the image's left and + up; a 2D head is where the face points,
likewise. Two traps are guarded here. Many readers take yaw for pitch: where a line has the 3D gaze
too, both must agree. And ETH-XGaze's files are lines of its h5 files, in which the first angle
*is* the pitch: there the field is called ``gaze``, not ``2DGaze``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np

from common.arrays import Float
from common.files.foreign_files import path_inside
from common.geometry import LARGEST_RAD, gaze_angles, gaze_vector

_LARGEST_DISAGREEMENT_RAD = np.deg2rad(0.5)  # of rounded 2D and 3D gaze
_NUM_CHECKED = 200
_MOST_HEADER_BYTES = 10_000
# How headers call the fields, in lower case.
_ROLES = {
    **{"face": "face", "origin": "name", "metapath": "name", "smat": "scale"},
    **{"3dgaze": "gaze_3d", "gaze3d": "gaze_3d", "2dgaze": "gaze_2d", "gaze2d": "gaze_2d"},
    **{"2dhead": "head_2d", "head2d": "head_2d"},
    **{"gaze": "gaze_pitch_yaw", "head": "head_pitch_yaw"},
}
_PITCH_FIRST = {"gaze_pitch_yaw": "gaze_2d", "head_pitch_yaw": "head_2d"}


@dataclass(frozen=True)
class Form:
    """A data set's form of the line.

    Attributes:
        places: of the fields, from 0, by role.
        subject: the person of a face; given the label file's stem, the face's path and its name.
        viewer_axes: signs that turn the axes of its 3D gaze into the viewer's.
        has_lists: its label files are train, val and test.
        is_scaled: its gaze was multiplied by the scale S of the normalisation, too.
        is_normalised: its faces are warped; else they are crops.
    """

    places: Mapping[str, int]
    subject: Callable[[str, str, str], str]
    viewer_axes: tuple[float, float, float] = (1.0, -1.0, -1.0)
    has_lists: bool = False
    is_scaled: bool = False
    is_normalised: bool = True


def _of_file(stem: str, face: str, name: str) -> str:
    return stem


def _of_folder(stem: str, face: str, name: str) -> str:
    # RT-GENE's folders are s000_glasses, ETH-XGaze's subject0000.
    return PurePosixPath(face).parts[0].partition("_")[0]


def _of_name(stem: str, face: str, name: str) -> str:
    # Gaze360's names are rec_000/head/000001/000002.jpg: nobody is followed over recordings.
    return str(PurePosixPath(name).parent)


FORMS: dict[str, Form] = {
    "mpiifacegaze": Form(
        {"face": 0, "name": 3, "gaze_3d": 5, "gaze_2d": 7, "head_2d": 8}, _of_file, is_scaled=True
    ),
    "eyediap": Form({"face": 0, "name": 3, "gaze_3d": 4, "gaze_2d": 6, "head_2d": 7}, _of_file),
    "gaze360": Form(
        {"face": 0, "name": 3, "gaze_3d": 4, "gaze_2d": 5},
        _of_name,
        viewer_axes=(-1.0, 1.0, -1.0),
        has_lists=True,
        is_normalised=False,
    ),
    "rtgene": Form({"face": 0, "name": 3, "gaze_3d": 4, "gaze_2d": 6, "head_2d": 7}, _of_folder),
    "eth_xgaze": Form({"face": 0, "gaze_2d": 1, "head_2d": 2, "name": 3}, _of_folder),
}


@dataclass(frozen=True)
class LabelledFace:
    """What a line says, in the viewer's axes.

    Attributes:
        face: path of the image below ``Image/``.
        subject: the person.
        gaze: (2,) [yaw, pitch] rad.
        head_pose: (3,) [pitch, yaw, roll] rad, None if the set has none. Roll is 0: a normalised
            face is rolled as the head is.
    """

    face: str
    subject: str
    gaze: Float
    head_pose: Float | None


@dataclass(frozen=True)
class LabelFile:
    """A label file whose header has been read.

    Attributes:
        path: of the file.
        stem: its name for people and groups.
        dataset: of `FORMS`.
        places: of the fields, by role.
        pitch_first: roles whose angles are [pitch, yaw].
        has_header: whether its first line is one.
    """

    path: Path
    stem: str
    dataset: str
    places: Mapping[str, int] = field(hash=False)
    pitch_first: frozenset[str] = frozenset()
    has_header: bool = True

    @property
    def form(self) -> Form:
        """Return the form of its lines."""
        return FORMS[self.dataset]

    def count(self) -> int:
        """Return how many lines are faces."""
        return sum(1 for _ in self.lines(0, None))

    def lines(self, start: int, stop: int | None) -> Iterator[str]:
        """Yield the lines of the faces number `start` to `stop`, which is left out."""
        with self.path.open(encoding="utf-8", errors="replace") as file:
            rows = (line.strip() for line in islice(file, int(self.has_header), None))
            yield from islice((row for row in rows if row), start, stop)

    def parse(self, line: str, *, removes_scale: bool = False) -> LabelledFace:
        """Return what a line says.

        Raises:
            ValueError: If it is damaged, or its 2D and 3D gaze disagree.
        """
        fields = line.split()
        if len(fields) <= max(self.places.values()):
            raise ValueError(f"{len(fields)} fields, expected {max(self.places.values()) + 1}")
        gaze = self._angles(fields, "gaze_2d")
        self._check_3d_gaze(fields, gaze)
        if removes_scale:
            scale = _numbers(fields[self.places["scale"]], 3)
            if not (scale > 0).all():
                raise ValueError(f"scale {fields[self.places['scale']]}, expected positive numbers")
            gaze = gaze_angles(gaze_vector(gaze) / scale)
        head_pose = None
        if "head_2d" in self.places:
            yaw, up = self._angles(fields, "head_2d")
            head_pose = np.array([-up, yaw, 0.0])
        face = fields[self.places["face"]].replace("\\", "/")
        path_inside(Path("Image"), face)
        name = fields[self.places["name"]].replace("\\", "/")
        return LabelledFace(face, self.form.subject(self.stem, face, name), gaze, head_pose)

    def _angles(self, fields: list[str], role: str) -> Float:
        """Return a direction's [yaw, pitch], + to the image's right and + up."""
        angles = _numbers(fields[self.places[role]], 2)
        if np.abs(angles).max() > LARGEST_RAD:
            raise ValueError(f"angles {angles.tolist()}: expected radians")
        yaw, pitch = angles[::-1] if role in self.pitch_first else angles
        return np.array([-yaw, pitch])

    def _check_3d_gaze(self, fields: list[str], gaze: Float) -> None:
        if "gaze_3d" not in self.places:
            return
        vector = _numbers(fields[self.places["gaze_3d"]], 3)
        length = np.linalg.norm(vector)
        if not 0 < length < np.inf:
            raise ValueError(f"3D gaze of length {length:g}")
        direction = vector * self.form.viewer_axes / length
        apart = 2 * np.arcsin(min(1.0, float(np.linalg.norm(direction - gaze_vector(gaze))) / 2))
        if apart > _LARGEST_DISAGREEMENT_RAD:
            raise _DisagreeingGazeError(
                f"2D gaze {fields[self.places['gaze_2d']]} lies {np.degrees(apart):.1f} degrees "
                f"from 3D gaze {fields[self.places['gaze_3d']]}"
            )


def read_header(path: Path, stem: str, dataset: str | None) -> LabelFile | None:
    """Return a label file with its fields' places; None without a gaze.

    `stem` is its name for people and groups. Without `dataset` the header must tell it.

    Raises:
        ValueError: If the header does not tell the data set, or says other places than it has.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        names = [name.lower() for name in file.readline(_MOST_HEADER_BYTES).split()]
    if names[:1] != ["face"]:
        return _headless(path, stem, dataset)
    # Of two fields of one role the first counts.
    found = {_ROLES.get(name, name): place for place, name in reversed([*enumerate(names)])}
    swapped = {role: found[said] for said, role in _PITCH_FIRST.items() if said in found}
    pitch_first = frozenset(swapped).difference(found)
    places = swapped | found
    if "gaze_2d" not in places:
        return None
    dataset = dataset or _recognised(path, places)
    _check_places(path, dataset, places)
    form = FORMS[dataset]
    wanted = {*form.places, "gaze_3d", *(["scale"] if form.is_scaled else [])}
    places = {role: place for role, place in places.items() if role in wanted}
    return LabelFile(path, stem, dataset, places, pitch_first)


def check_angles(file: LabelFile) -> None:
    """Refuse a file in which the first lines' 2D gaze mostly contradicts their 3D gaze.

    Raises:
        ValueError: If so: its yaw and pitch are swapped, or the fields are others than named.
    """
    wrong: list[str] = []
    num_right = 0
    for number, line in enumerate(file.lines(0, _NUM_CHECKED), start=1 + int(file.has_header)):
        try:
            file.parse(line)
            num_right += 1
        except _DisagreeingGazeError as error:
            wrong.append(f"line {number}: {error}")
        except ValueError:
            continue  # a damaged line is skipped when its turn comes
    if len(wrong) > num_right:
        raise ValueError(
            f"{file.path}: in {len(wrong)} of the first lines the 2D gaze is not [yaw, pitch] of "
            f"the 3D gaze ({wrong[0]}): yaw and pitch are swapped, or this is another data set "
            f"(data.reader.dataset={'|'.join(FORMS)})"
        )


class _DisagreeingGazeError(ValueError):
    """A line whose 2D gaze is not that of its 3D gaze."""


def _headless(path: Path, stem: str, dataset: str | None) -> LabelFile:
    if dataset is None or dataset == "eth_xgaze":
        told = "its first angle is yaw or pitch" if dataset else "which data set it is"
        raise ValueError(
            f"{path} has no header line (Face ...), so it does not say {told}; "
            "put GazeHub's header back, or name the set: data.reader.dataset="
            f"{'|'.join(name for name in FORMS if name != 'eth_xgaze')}"
        )
    return LabelFile(path, stem, dataset, FORMS[dataset].places, has_header=False)


def _recognised(path: Path, places: Mapping[str, int]) -> str:
    fitting = [
        name
        for name, form in FORMS.items()
        if all(places.get(role) == form.places.get(role) for role in {"head_2d", *form.places})
    ]
    if len(fitting) != 1:
        raise ValueError(
            f"{path}: its header is that of {' or '.join(fitting) or 'no set of GazeHub'}; type "
            f"data.reader.dataset={'|'.join(fitting or FORMS)}"
        )
    return fitting[0]


def _check_places(path: Path, dataset: str, places: Mapping[str, int]) -> None:
    for role, place in FORMS[dataset].places.items():
        if places.get(role) != place:
            said = f"in field {places[role]}" if role in places else "nowhere"
            raise ValueError(
                f"{path}: its header has {role} {said}, {dataset} has it in field {place} (from "
                f"0): another data set? Type data.reader.dataset={'|'.join(FORMS)}"
            )


def _numbers(field: str, length: int) -> Float:
    values = np.array([float(value) for value in field.split(",")])
    if values.shape != (length,) or not np.isfinite(values).all():
        raise ValueError(f"{field!r} is not {length} numbers")
    return values
