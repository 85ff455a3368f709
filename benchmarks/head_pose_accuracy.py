"""How far head poses are off on labelled photos: the suite's, its variants, and others' nets.

    python benchmarks/head_pose_accuracy.py
    python benchmarks/head_pose_accuracy.py --labelled AFLW2000 --frontal PORTRAITS OTHERS
        --landmarker face_landmarker.task --openvino head-pose-estimation-adas-0001.xml

`--labelled` holds photos with .mat files beside them, as AFLW2000-3D and 300W-LP have them;
`--frontal` photos of one face each that faces the camera, so that zero is true on average. Invented
heads of known pose are always measured. MediaPipe's own pose, and variants of the suite's, which
need more of its face model, are measured if `--landmarker` is given. OpenVINO's net needs
`pip install openvino`.

No photo tells its camera. SQPNP assumes a distant one that looks at the face (as far as the row
says, in sizes of the face), Procrustes one infinitely far, MediaPipe a field of view of 63 degrees
over the photo's height, OpenVINO's net nothing. Its crop and the signs of its angles, which are not
documented, are the best of some tried on AFLW2000-3D.

Errors are in degrees, estimate less label, of `common.geometry`'s angles: [pitch, yaw, roll].
"MAE less c" takes away a constant pitch: the mean error of photos of even places (0, 2, ...) within
45 degrees of yaw, for rows of odd places a fair test.
"""

import argparse
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from common.faces.head_pose import FOCAL_OVER_FACE, canonical_face, head_pose_from_mesh
from common.faces.settings import AnalyzerSettings
from common.geometry import CAMERA_TO_VIEWER, head_pose_from_rotation
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.portraits import render_portrait
from gazepose.preprocessing.head_angles import head_pose_from_hopenet

Float = npt.NDArray[np.floating[Any]]
Image = npt.NDArray[np.uint8]
LARGEST_YAW_DEG = 45  # the mesh is known to invent what it does not see
# The template before: points about the profile.
PROFILE = [33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 164, 61, 291]
PROFILE += [8, 9, 151, 10, 199, 152, 50, 280]
ABOVE_MOUTH = [33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 8, 9, 50, 280]
NUM_CANONICAL = 468


class Photo(NamedTuple):
    """A face (H, W, 3) RGB, its true [pitch, yaw, roll] in radians, and its mesh."""

    image: Image
    head_pose: Float
    mesh: Float


Method = Callable[[Photo], Float | None]


def label_of(path: Path) -> Float:
    """Return the head pose of a .mat file in the form of 300W-LP, whose angles are Hopenet's."""
    from scipy.io import loadmat

    pitch, yaw, roll = loadmat(path)["Pose_Para"][0][:3]
    return head_pose_from_hopenet(np.degrees([yaw, pitch, roll]))


def labelled_faces(folder: Path) -> Iterator[tuple[Image, Float]]:
    """Yield the photos of a folder, and their labels."""
    for path in sorted(folder.glob("*.mat")):
        yield read(path.with_suffix(".jpg")), label_of(path)


def frontal_faces(folder: Path) -> Iterator[tuple[Image, Float]]:
    """Yield the photos of a folder, and zero."""
    for path in sorted(folder.rglob("*.jpg")):
        yield read(path), np.zeros(3)


def invented_faces(num_people: int) -> Iterator[tuple[Image, Float]]:
    """Yield five heads of each of some people; pitch +-30, yaw +-40, roll +-20."""
    for seed in range(num_people):
        identity, rng = make_identity(200_000 + seed), np.random.default_rng(seed)
        for _ in range(5):
            face = render_portrait(identity, rng, size_px=320, head_limits_deg=(30.0, 40.0, 20.0))
            yield face.image, face.head_pose


def read(path: Path) -> Image:
    """Return a photo (H, W, 3) RGB."""
    return np.asarray(cv2.imread(str(path)), np.uint8)[..., ::-1].copy()


def with_meshes(faces: Iterator[tuple[Image, Float]]) -> list[Photo]:
    """Return the faces with a mesh, of each photo the largest."""
    analyzer, photos = AnalyzerSettings().build(), []
    for image, head_pose in faces:
        if found := analyzer.analyze(image):
            largest = max(found, key=lambda one: np.ptp(one.bbox_xyxy_px.reshape(2, 2), 0).prod())
            photos.append(Photo(image, head_pose, largest.mesh))
    return photos


class MediaPipeFace:
    """MediaPipe's own pose, and its canonical face, of a face_landmarker.task."""

    def __init__(self, path: Path) -> None:
        import mediapipe
        from mediapipe.tasks.cc.vision.face_geometry.proto import geometry_pipeline_metadata_pb2
        from mediapipe.tasks.python import BaseOptions, vision

        metadata = geometry_pipeline_metadata_pb2.GeometryPipelineMetadata()
        with zipfile.ZipFile(path) as task:
            metadata.ParseFromString(task.read("geometry_pipeline_metadata_landmarks.binarypb"))
        self.template = np.array(metadata.canonical_mesh.vertex_buffer).reshape(-1, 5)[:, :3]
        basis = metadata.procrustes_landmark_basis
        self.indices = [one.landmark_id for one in basis]
        self.weights = np.array([one.weight for one in basis])
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(str(path)), output_facial_transformation_matrixes=True
        )
        self._net = vision.FaceLandmarker.create_from_options(options)
        self._image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB

    def pose(self, photo: Photo) -> Float | None:
        """Return MediaPipe's head pose, None without a face; its axes are the viewer's."""
        image = self._image(image_format=self._format, data=photo.image)
        matrices = self._net.detect(image).facial_transformation_matrixes
        if not matrices:
            return None
        scaled = np.asarray(matrices[0], np.float64)[:3, :3]
        return head_pose_from_rotation(scaled / np.cbrt(np.linalg.det(scaled)))

    def variants(self) -> dict[str, Method]:
        """Return ways to the pose from the suite's mesh."""
        ours, whole = canonical_face()[0].tolist(), list(range(NUM_CANONICAL))
        subsets = {
            "23 about the profile (before)": PROFILE,
            "16 above the mouth": ABOVE_MOUTH,
            "MediaPipe's 33": self.indices,
            "these and the mouth's corners": ours,
            "all 468": whole,
        }
        return {
            **{
                f"SQPNP, {name}, camera {focal:g}": self._pnp(points, focal)
                for name, points in subsets.items()
                for focal in (3.0, FOCAL_OVER_FACE)
            },
            "Procrustes on x, y, z, MediaPipe's 33, weighted": self._procrustes(
                self.indices, self.weights
            ),
            "Procrustes on x, y, z, all 468": self._procrustes(whole, np.ones(NUM_CANONICAL)),
        }

    def _pnp(self, indices: list[int], focal_over_face: float) -> Method:
        template = np.ascontiguousarray(self.template[indices])

        def pose(photo: Photo) -> Float:
            points = np.ascontiguousarray(photo.mesh[indices, :2])
            low, high = points.min(0), points.max(0)
            focal, (x, y) = focal_over_face * (high - low).max(), (low + high) / 2
            camera = np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])
            turn = cv2.solvePnP(template, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)[1]
            return head_pose_from_rotation(CAMERA_TO_VIEWER @ cv2.Rodrigues(turn)[0])

        return pose

    def _procrustes(self, indices: list[int], weights: Float) -> Method:
        share = weights / weights.sum()
        template = self.template[indices] - share @ self.template[indices]

        def pose(photo: Photo) -> Float:
            points = photo.mesh[indices] * [1, -1, -1]
            u, _, vt = np.linalg.svd((points - share @ points).T @ (template * share[:, None]))
            return head_pose_from_rotation(u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt)

        return pose


class OpenVinoNet:
    """head-pose-estimation-adas-0001 on a square about the mesh."""

    side_px, margin, shift_up = 60, 0.1, 0.05

    def __init__(self, path: Path) -> None:
        import openvino

        self._net = openvino.Core().compile_model(str(path), "CPU")

    def pose(self, photo: Photo) -> Float:
        """Return the head pose; the net's +yaw is image right, +pitch down, +roll clockwise."""
        low, high = photo.mesh[:, :2].min(0), photo.mesh[:, :2].max(0)
        half = (0.5 + self.margin) * (high - low).max()
        x, y = (low + high) / 2 - [half, half + self.shift_up * (high - low)[1]]
        scale = (self.side_px - 1) / (2 * half)
        every = max(1, round(1 / scale))  # pixels that become one: without a mean they alias
        smooth = cv2.blur(photo.image, (every, every))
        matrix = np.array([[scale, 0, -scale * x], [0, scale, -scale * y]])
        size = (self.side_px, self.side_px)
        crop = cv2.warpAffine(smooth, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        found = self._net(crop[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))
        pitch, yaw, roll = (float(found[f"angle_{axis}_fc"][0, 0]) for axis in "pyr")
        return np.radians([pitch, yaw, -roll])


def errors_deg(method: Method, photos: list[Photo]) -> Float:
    """Return the errors (N, 3), NaN where the method finds no face."""
    found = [method(photo) for photo in photos]
    poses = [np.full(3, np.nan) if one is None else one for one in found]
    return np.degrees(np.array(poses) - [photo.head_pose for photo in photos])


def print_errors(title: str, errors: Mapping[str, Float], constants: Mapping[str, float]) -> None:
    """Print the methods' errors on a set of photos, as a table of Markdown."""
    print(f"\n{title}\n\n| | n | mean error | MAE | MAE of pitch less c |\n|---|---|---|---|---|")
    for name, values in errors.items():
        there = values[~np.isnan(values[:, 0])]
        mean, mae = (" ".join(f"{x:.1f}" for x in v) for v in (there.mean(0), abs(there).mean(0)))
        spread = " ".join(f"{value:.1f}" for value in there.std(0))
        less = abs(there[:, 0] - constants[name]).mean() if name in constants else np.nan
        print(f"| {name} | {len(there)} | {mean} (+- {spread}) | {mae} | {less:.1f} |")


def methods_of(arguments: argparse.Namespace) -> dict[str, Method]:
    """Return what is compared, by name."""
    methods: dict[str, Method] = {"the suite": lambda one: head_pose_from_mesh(one.mesh).head_pose}
    if arguments.landmarker:
        face = MediaPipeFace(arguments.landmarker)
        methods |= {"MediaPipe's face geometry": face.pose, **face.variants()}
    if arguments.openvino:
        methods["head-pose-estimation-adas-0001"] = OpenVinoNet(arguments.openvino).pose
    return methods


def main() -> None:
    """Print a table for every set of photos."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labelled", type=Path, help="folder of .jpg and .mat")
    parser.add_argument("--frontal", type=Path, nargs="*", default=[], help="folders of .jpg")
    parser.add_argument("--landmarker", type=Path, help="MediaPipe's face_landmarker.task")
    parser.add_argument("--openvino", type=Path, help="the net's .xml")
    parser.add_argument("--invented-people", type=int, default=30)
    arguments = parser.parse_args()
    methods, constants = methods_of(arguments), {}

    def measured(photos: list[Photo]) -> dict[str, Float]:
        return {name: errors_deg(method, photos) for name, method in methods.items()}

    if arguments.labelled:
        photos = with_meshes(labelled_faces(arguments.labelled))
        errors = measured(photos)
        within = np.degrees([abs(photo.head_pose[1]) for photo in photos]) < LARGEST_YAW_DEG
        is_even = np.arange(len(photos)) % 2 == 0
        even, odd = within & is_even, within & ~is_even
        constants = {name: float(np.nanmean(values[even, 0])) for name, values in errors.items()}
        for title, chosen in {
            "labelled, all": within | True,
            f"labelled, yaw within {LARGEST_YAW_DEG} degrees": within,
            "these, even places": even,
            "these, odd places": odd,
        }.items():
            print_errors(title, {name: errors[name][chosen] for name in errors}, constants)
    for folder in arguments.frontal:
        print_errors(folder.name, measured(with_meshes(frontal_faces(folder))), constants)
    invented = with_meshes(invented_faces(arguments.invented_people))
    print_errors("invented people", measured(invented), constants)


if __name__ == "__main__":
    main()
