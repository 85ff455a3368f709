"""Sessions written here as EYEDIAP's archives unpack, with a geometry known exactly."""

import logging
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from builders.read_group import read_group

from common.geometry import (
    face_direction,
    gaze_vector,
    head_pose_from_rotation,
    rotation_from_head_pose,
)
from common.media.video_writer import write_video
from common.store.skipped import Skipped
from flame.readers.eyediap.reader import EyediapReader
from flame.readers.sample import RawSample

WIDTH, HEIGHT, NUM_FRAMES = 64, 48, 20
K = np.array([[50.0, 0, 31.5], [0, 50.0, 23.5], [0, 0, 1]])
R_VGA, T_VGA = np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 1.0])
# The HD camera stands beside the VGA camera and is turned by 12 and 20 degrees.
R_HD = rotation_from_head_pose(np.deg2rad([12.0, 20.0, 0.0])) @ R_VGA
T_HD = np.array([0.25, 0.1, 0.93])
MIDDLE = np.array([0.02, 0.03, 0.15])
HALF_EYES = np.array([0.032, 0.001, 0.002])
SCREEN_TARGET = np.array([0.12, -0.06, 0.98])
HEAD_POSE = np.deg2rad([5.0, -15.0, 3.0])


@dataclass
class RawSession:
    """What a session's files say; every frame alike unless `rows` replaces its line."""

    name: str = "1_A_CS_S"
    target: np.ndarray = field(default_factory=SCREEN_TARGET.copy)  # world, m
    middle: np.ndarray = field(default_factory=MIDDLE.copy)  # between the eyes, world, m
    head_pose: np.ndarray = field(default_factory=HEAD_POSE.copy)
    rows: dict = field(default_factory=dict)  # (file name, frame) -> line, None = no line
    states: dict | None = None
    cameras: tuple = ("vga", "hd")
    num_video_frames: int = NUM_FRAMES
    video_size: tuple = (HEIGHT, WIDTH)
    vga_translation: np.ndarray = field(default_factory=T_VGA.copy)

    def write(self, root):
        """Write into an archive's tree under `root`; return `root`."""
        person = self.name.split("_")[0]
        folder = root / f"EYEDIAP{person}" / "EYEDIAP" / "Data" / self.name
        folder.mkdir(parents=True)
        self._write_calibration(folder / "rgb_vga_calibration.txt", R_VGA, self.vga_translation)
        self._write_calibration(folder / "rgb_hd_calibration.txt", R_HD, T_HD)
        for name, numbers in self._tables().items():
            self._write_table(folder / name, numbers)
        for camera in self.cameras:
            video = _video(self.num_video_frames, self.video_size)
            (folder / f"rgb_{camera}.mov").write_bytes(video)
        if self.states is not None:
            self._write_states(root)
        return root

    def _tables(self):
        eyes = np.array([self.middle + HALF_EYES, self.middle - HALF_EYES])
        pixels = {name: _project(eyes, *camera) for name, camera in _cameras().items()}
        rotation = rotation_from_head_pose(self.head_pose)
        head = [*rotation.ravel(), *(self.middle - [0, 0.03, 0.05])]
        tracked = [*pixels["vga"].ravel(), *[1.0] * 4, *pixels["hd"].ravel(), *eyes.ravel()]
        tables = {"head_pose.txt": head, "eye_tracking.txt": tracked}
        if "_FT_" in self.name:
            return tables | {"ball_tracking.txt": [1.0] * 6 + [*self.target]}
        screen = R_VGA.T @ (self.target - T_VGA)
        return tables | {"screen_coordinates.txt": [640.0, 512.0, *screen]}

    def _write_table(self, path, numbers):
        lines = [f"{path.stem} tracking; header;"]
        for frame in range(NUM_FRAMES):
            line = f"{frame};" + ";".join(f"{number:.9f}" for number in numbers)
            line = self.rows.get((path.name, frame), line)
            lines += [] if line is None else [line]
        path.write_text("\n".join(lines) + "\n")

    def _write_states(self, root):
        export = "EYEDIAP_GazeStateAnnotations/EYEDIAP/Annotations/GazeState/GazeStateExport/Data"
        path = root / export / self.name / "gaze_state.txt"
        path.parent.mkdir(parents=True)
        states = [self.states.get(frame, "OK") for frame in range(NUM_FRAMES)]
        path.write_text("".join(f"{frame}\t{state}\n" for frame, state in enumerate(states)))

    def _write_calibration(self, path, rotation, translation):
        rows = [
            ["[resolution]", str(WIDTH), str(HEIGHT), "[intrinsics]"],
            [";".join(f"{value:.9f}" for value in row) for row in K],
            ["[R]", *(";".join(f"{value:.9f}" for value in row) for row in rotation)],
            ["[T]", *(f"{value:.9f}" for value in translation), "[k]", "0;0;0;0;0"],
        ]
        path.write_text("\n".join(line for part in rows for line in part) + "\n")


@cache
def _video(num_frames, size):
    """Return the file of a video whose brightness tells the frame."""
    images = (np.full((*size, 3), 10 * frame, np.uint8) for frame in range(num_frames))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "video.mov"
        write_video(path, images, 30)
        return path.read_bytes()


def _cameras():
    return {"vga": (R_VGA, T_VGA), "hd": (R_HD, T_HD)}


def _project(points, rotation, translation):
    in_camera = (points - translation) @ rotation @ K.T
    return in_camera[:, :2] / in_camera[:, 2:]


def _read(root, group="1_A_CS_S", **options):
    options = {"frame_step": 5, "targets": ("CS", "DS", "FT")} | options
    reader = EyediapReader(root, **options)
    assert reader.groups() == [group]
    return read_group(reader, group)


def _viewer_vector(direction):
    return direction / np.linalg.norm(direction)


def test_vga_gaze_points_from_the_eyes_to_the_screen_target(tmp_path):
    """World axes are the viewer's axes for the VGA camera."""
    sample = _read(RawSession().write(tmp_path))[0]
    np.testing.assert_allclose(
        gaze_vector(sample.gaze), _viewer_vector(SCREEN_TARGET - MIDDLE), atol=1e-7
    )
    np.testing.assert_allclose(sample.head_pose, HEAD_POSE, atol=1e-7)
    np.testing.assert_array_equal(sample.camera_matrix, K)


@pytest.mark.parametrize("name", ["1_A_DS_M", "1_B_FT_M"])
def test_screen_and_floating_targets_of_one_place_give_one_gaze(tmp_path, name):
    """The screen is stored in camera, the ball in world coordinates."""
    sample = _read(RawSession(name=name).write(tmp_path), name)[0]
    np.testing.assert_allclose(
        gaze_vector(sample.gaze), _viewer_vector(SCREEN_TARGET - MIDDLE), atol=1e-7
    )


@pytest.mark.parametrize("name", ["1_A_CS_S", "1_A_FT_S"])
def test_hd_labels_are_in_the_hd_cameras_axes(tmp_path, name):
    sample = _read(RawSession(name=name).write(tmp_path), name, camera="hd")[0]
    to_viewer = np.diag([1, -1, -1]) @ R_HD.T
    np.testing.assert_allclose(
        gaze_vector(sample.gaze), _viewer_vector(to_viewer @ (SCREEN_TARGET - MIDDLE)), atol=1e-7
    )
    expected = head_pose_from_rotation(to_viewer @ rotation_from_head_pose(HEAD_POSE))
    np.testing.assert_allclose(sample.head_pose, expected, atol=1e-7)


@pytest.mark.parametrize("camera", ["vga", "hd"])
def test_looking_into_the_camera_projects_on_itself(tmp_path, camera):
    """A target on the camera: the gaze is minus the ray on which the eyes appear."""
    _, translation = _cameras()[camera]
    session = RawSession(name="1_A_FT_S", target=translation)
    sample = _read(session.write(tmp_path), "1_A_FT_S", camera=camera)[0]
    ray = np.linalg.inv(K) @ [*sample.face_hint_px, 1.0]
    np.testing.assert_allclose(
        gaze_vector(sample.gaze), _viewer_vector(np.diag([1, -1, -1]) @ -ray), atol=1e-6
    )


def test_published_vector_of_another_code(tmp_path):
    """gtv_cam of session 1_A_FT_M, frame 0: (0.4732320905, -0.3315055370) in MPII's convention.

    MPII's yaw = atan2(-x, -z) is the negative of ours, its pitch = asin(-y) is ours.
    """
    gaze_in_camera = np.array([-0.4309506536, 0.3254669609, -0.8416369713])
    session = RawSession(name="1_A_FT_M", target=MIDDLE + R_VGA @ gaze_in_camera)
    sample = _read(session.write(tmp_path), "1_A_FT_M")[0]
    np.testing.assert_allclose(sample.gaze, [-0.4732320905, -0.3315055370], atol=1e-7)


def test_a_head_that_faces_the_camera_has_pose_zero_and_turns_to_the_image_right(tmp_path):
    turned = np.deg2rad([0.0, 25.0, 0.0])
    sample = _read(RawSession(head_pose=turned).write(tmp_path))[0]
    np.testing.assert_allclose(face_direction(sample.head_pose), np.deg2rad([25, 0]), atol=1e-7)


@pytest.mark.parametrize("camera", ["vga", "hd"])
def test_published_convention_sees_the_screen_from_one_metre(tmp_path, camera):
    """A point in the camera's plane, x to the side, has the yaw atan(x / 1 m) of FLAME's range."""
    target = np.array([0.278, 0.1, 1.0])
    options = {"gaze": "published", "camera": camera, "targets": ("CS",)}
    items = _read(RawSession(target=target).write(tmp_path), **options)
    yaw, pitch = items[0].gaze
    np.testing.assert_allclose(yaw, np.arctan(0.278), atol=1e-7)
    np.testing.assert_allclose(pitch, np.arctan(0.1 / np.hypot(0.278, 1)), atol=1e-7)
    np.testing.assert_allclose(items[0].head_pose, HEAD_POSE, atol=1e-7)


def test_conventions_have_names_that_differ(tmp_path):
    assert EyediapReader(tmp_path).gaze_convention == "eyediap_geometric"
    assert EyediapReader(tmp_path, gaze="published").gaze_convention == "eyediap_published"


def test_readers_of_different_images_or_labels_have_different_settings(tmp_path):
    """Stores made with different settings must not be mixed."""
    options = [{}, {"camera": "hd"}, {"gaze": "published"}, {"frame_step": 5}]
    settings = [str(EyediapReader(tmp_path, **option).settings) for option in options]
    assert len(set(settings)) == len(options)
    chosen = EyediapReader(tmp_path, conditions=("A",), motions=("S",)).settings
    assert str(chosen) == settings[0]


def test_eyes_hint_is_where_the_eyes_project(tmp_path):
    for camera, pose in _cameras().items():
        root = RawSession().write(tmp_path / camera)
        sample = _read(root, camera=camera)[0]
        np.testing.assert_allclose(sample.face_hint_px, _project(MIDDLE[None], *pose)[0], atol=1e-6)


def test_frames_are_paired_with_their_images(tmp_path):
    items = _read(RawSession().write(tmp_path), frame_step=3)
    assert [item.frame for item in items] == [0, 3, 6, 9, 12, 15, 18]
    assert [item.index for item in items] == list(range(7))
    for item in items:
        assert item.sample_id == f"1_A_CS_S_{item.frame:05d}"
        assert abs(item.image.mean() - 10 * item.frame) < 3
        assert (item.subject, item.group) == ("1", "1_A_CS_S")


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("head_pose.txt", "5", "head lost"),
        ("head_pose.txt", "5;" + ";".join(["0"] * 12), "head lost"),
        ("head_pose.txt", None, "head lost"),
        ("eye_tracking.txt", "5;;;", "eyes lost"),
        ("eye_tracking.txt", "5;" + ";".join(["0"] * 18), "eyes lost"),
        ("eye_tracking.txt", "5;" + ";".join(["nan"] * 18), "eyes lost"),
        ("screen_coordinates.txt", "5;640;512", "target lost"),
        ("screen_coordinates.txt", "5;0;0;0;0;0", "target lost"),
    ],
)
def test_lost_frame_is_skipped_and_shifts_no_other(tmp_path, file, line, reason):
    items = _read(RawSession(rows={(file, 5): line}).write(tmp_path))
    assert items[0] == Skipped("1_A_CS_S_00005", "1", "1_A_CS_S", reason)
    assert [(item.frame, item.index) for item in items[1:]] == [(0, 0), (10, 2), (15, 3)]
    for item in items[1:]:
        assert abs(item.image.mean() - 10 * item.frame) < 3


def test_blinks_and_looks_elsewhere_are_skipped_unless_kept(tmp_path):
    root = RawSession(states={5: "BK", 10: "NL"}).write(tmp_path)
    reasons = [item.reason for item in _read(root) if isinstance(item, Skipped)]
    assert reasons == ["blink", "not looking at the target"]
    kept = _read(root, keep_gaze_states=("OK", "BK"))
    assert [item.frame for item in kept if isinstance(item, RawSample)] == [0, 5, 15]
    (path,) = root.rglob("gaze_state.txt")
    path.write_text(path.read_text().replace("15\tOK\n", ""))
    assert "gaze state missing" in [getattr(item, "reason", "") for item in _read(root)]


def test_a_file_without_one_gaze_state_is_named(tmp_path):
    root = RawSession(states={}).write(tmp_path)
    (path,) = root.rglob("gaze_state.txt")
    path.write_bytes(b"\xff\0")
    with pytest.raises(ValueError, match=str(path)):
        _read(root)
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match=f"{path} cannot be read"):
        _read(root)


def test_missing_gaze_states_are_warned_of_except_for_discrete_targets(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        _read(RawSession(name="1_A_DS_S").write(tmp_path / "ds"), "1_A_DS_S")
        assert not caplog.records
        _read(RawSession().write(tmp_path / "cs"))
    assert "1_A_CS_S: no gaze_state.txt" in caplog.text


def test_short_missing_and_damaged_videos_skip_their_frames(tmp_path):
    short = _read(RawSession(num_video_frames=12).write(tmp_path / "short"))
    assert [item.frame for item in short[:3]] == [0, 5, 10]
    assert "ends" in short[3].reason
    missing = _read(RawSession(cameras=("vga",)).write(tmp_path / "missing"), camera="hd")
    assert {"no rgb_hd.mov" in item.reason for item in missing} == {True}
    root = RawSession().write(tmp_path / "damaged")
    next(root.rglob("rgb_vga.mov")).write_bytes(b"cut")
    assert {"rgb_vga.mov" in item.reason for item in _read(root)} == {True}


def test_video_of_another_size_than_the_calibration_is_skipped(tmp_path):
    items = _read(RawSession(video_size=(24, 32)).write(tmp_path))
    assert {"size" in item.reason for item in items} == {True}


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("rgb_vga_calibration.txt", "no rgb_vga_calibration.txt"),
        ("eye_tracking.txt", "no file of the eyes"),
    ],
)
def test_missing_file_skips_every_frame(tmp_path, file, reason):
    root = RawSession().write(tmp_path)
    next(root.rglob(file)).unlink()
    assert {item.reason for item in _read(root)} == {reason}


@pytest.mark.parametrize(
    ("old", "new"), [("[intrinsics]", "[R]"), ("50.000000000", "nan"), (str(WIDTH), "inf")]
)
def test_malformed_calibration_names_the_file(tmp_path, old, new):
    root = RawSession().write(tmp_path)
    path = next(root.rglob("rgb_vga_calibration.txt"))
    whole = path.read_text()
    path.write_text(whole.replace("\n", "\n\n"))  # blank lines are none
    assert isinstance(_read(root)[0], RawSample)
    path.write_text(whole.replace(old, new, 1))
    assert "rgb_vga_calibration.txt is malformed" in _read(root)[0].reason


def test_vga_camera_elsewhere_is_warned_of(tmp_path, caplog):
    _read(RawSession(vga_translation=np.array([0.0, 0.1, 1.0])).write(tmp_path))
    assert "1_A_CS_S: the VGA camera" in caplog.text


def test_eyes_that_do_not_project_on_the_trackers_pixels_are_warned_of(tmp_path, caplog):
    _read(RawSession().write(tmp_path / "right"), camera="hd")
    assert "calibration" not in caplog.text
    root = RawSession().write(tmp_path / "wrong")
    path = next(root.rglob("rgb_hd_calibration.txt"))
    path.write_text(path.read_text().replace("0.250000000", "0.350000000"))
    _read(root, camera="hd")
    assert re.search(r"1_A_CS_S: .* px .*HD tracker.*calibration", caplog.text)
    # Where the tracker has no pixels, there is nothing to compare.
    caplog.clear()
    path = next(root.rglob("eye_tracking.txt"))
    header, *rows = (line.split(";") for line in path.read_text().splitlines())
    for row in rows:
        row[9:13] = ["0"] * 4
    path.write_text("\n".join(";".join(row) for row in (header, *rows)))
    assert isinstance(_read(root, camera="hd")[0], RawSample)
    assert "calibration" not in caplog.text


def test_sessions_are_chosen_by_condition_target_and_motion(tmp_path):
    for name in ("1_A_CS_S", "1_A_DS_M", "1_B_FT_S", "10_A_CS_M", "2_A_CS_S"):
        RawSession(name=name, cameras=()).write(tmp_path)
    assert EyediapReader(tmp_path).groups() == ["10_A_CS_M", "1_A_CS_S", "1_A_DS_M", "2_A_CS_S"]
    assert EyediapReader(tmp_path, targets=("FT",)).groups() == ["1_B_FT_S"]
    assert EyediapReader(tmp_path, conditions=("A",), motions=("M",)).groups() == [
        "10_A_CS_M",
        "1_A_DS_M",
    ]


def test_wrong_folder_and_a_session_twice_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"EYEDIAP1/EYEDIAP/Data/1_A_CS_S"):
        EyediapReader(tmp_path).groups()
    RawSession(cameras=()).write(tmp_path / "a")
    RawSession(cameras=()).write(tmp_path / "b")
    with pytest.raises(ValueError, match=r"/a/.*1_A_CS_S .*/b/.*1_A_CS_S"):
        EyediapReader(tmp_path).groups()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"camera": "depth"}, r"camera .*'depth'.*vga, hd"),
        ({"gaze": "mpii"}, r"gaze .*'mpii'.*published"),
        ({"targets": ()}, r"targets .*\[\].*CS"),
        ({"targets": ("FT",), "gaze": "published"}, "gaze=published .*FT"),
        ({"frame_step": 0}, "frame_step .* 0.* 1"),
        ({"keep_gaze_states": ("ok",)}, "keep_gaze_states .*'ok'.*OK, BK, NL"),
    ],
)
def test_unknown_options_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        EyediapReader(tmp_path, **options)


def test_gaze_does_not_depend_on_which_eye_is_called_left(tmp_path):
    session = RawSession()
    one = _read(session.write(tmp_path / "one"))[0]
    numbers = session._tables()["eye_tracking.txt"]
    swapped = numbers[:12] + numbers[15:18] + numbers[12:15]
    line = "0;" + ";".join(map(str, swapped))
    other = replace(session, rows={("eye_tracking.txt", 0): line})
    np.testing.assert_allclose(_read(other.write(tmp_path / "two"))[0].gaze, one.gaze)


def test_damage_in_a_text_costs_the_frame_it_is_in(tmp_path):
    root = RawSession(states={}).write(tmp_path)
    for name in ("head_pose.txt", "gaze_state.txt"):
        path = next(root.rglob(name))
        path.write_bytes(path.read_bytes() + b"\xff\xfe\n" + b"9" * 5000 + b";1;2\n")
    items = _read(root)
    assert [item.index for item in items if isinstance(item, RawSample)]


@pytest.mark.parametrize("width", ["inf", "nan", "\N{SUPERSCRIPT TWO}"])
def test_a_calibration_with_no_number_skips_every_frame(tmp_path, width):
    root = RawSession().write(tmp_path)
    path = next(root.rglob("rgb_vga_calibration.txt"))
    path.write_text(path.read_text().replace(f"{WIDTH}\n", f"{width}\n", 1))
    assert {"rgb_vga_calibration.txt" in item.reason for item in _read(root)} == {True}
