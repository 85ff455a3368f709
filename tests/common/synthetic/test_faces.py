"""Pictures of demo people: agreement of image and labels, detection."""

import numpy as np
import pytest

from common.faces.mediapipe.mesh import FaceMesh
from common.geometry import face_direction
from common.synthetic.people.head import make_identity
from common.synthetic.people.sampling import sample_traits
from common.synthetic.photo import NOISE_SIZE, develop
from common.synthetic.rendering.face_pose import FacePose
from common.synthetic.rendering.lighting import Lighting
from common.synthetic.rendering.placement import centred_camera
from common.synthetic.rendering.portraits import render_portrait
from common.synthetic.rendering.renderer import draw_face

SIZE = 224
CAMERA = centred_camera((SIZE, SIZE), 700.0)
LIGHT = Lighting(np.array([0.0, -0.3, -0.95]), 0.8, 0.4, 0.3, np.ones(3))


def drawn(canvas, gaze=(0.0, 0.0), identity=None, camera=CAMERA, **options):
    identity = make_identity(3) if identity is None else identity
    pose = FacePose.of(
        identity,
        head_pose=np.zeros(3),
        gaze=np.radians(gaze),
        position_cm=np.array([0.0, 0.0, 90.0]),
        **options,
    )
    return draw_face(canvas, identity, pose, camera, LIGHT)


def grey_canvas():
    return np.full((SIZE, SIZE, 3), 0.4, np.float32)


def test_people_differ():
    traits = [sample_traits(seed) for seed in range(60)]
    assert len({person.hair.cut for person in traits}) >= 8
    assert 5 <= sum(person.glasses is not None for person in traits) <= 25
    assert len({person.mouth.y_cm for person in traits}) == 60


def test_the_pupil_is_dark_where_its_landmarks_are():
    canvas = grey_canvas()
    found = drawn(canvas, pupil_radius_cm=0.3)
    x, y = found.eye_landmarks.reshape(2, 56)
    for eye in (0, 28):
        pupil_x, pupil_y = x[eye + 20 : eye + 28].mean(), y[eye + 20 : eye + 28].mean()
        # The highlight may cover a part: the darkest of the centre's neighbours counts.
        column, row = round(pupil_x), round(pupil_y)
        patch = canvas[row - 1 : row + 2, column - 1 : column + 2].mean(-1)
        corner = canvas[round(y[eye + 11] - 12), column].mean()
        assert patch.min() < 0.3 * corner


def test_drawing_leaves_the_rest_of_the_canvas_alone():
    canvas = np.full((SIZE, 2 * SIZE, 3), 0.4, np.float32)
    drawn(canvas)
    assert (canvas[:, -SIZE // 4 :] == np.float32(0.4)).all()
    assert (canvas[:, : SIZE // 2 + 50] != np.float32(0.4)).any()


def test_nothing_is_drawn_of_who_is_beyond_the_border():
    canvas = grey_canvas()
    # Of the long-haired, most is drawn.
    aside = CAMERA - [[0, 0, -195], [0, 0, 0], [0, 0, 0]]
    drawn(canvas, identity=make_identity(0, 64), camera=aside)
    assert (canvas == np.float32(0.4)).all()


def test_the_noise_of_a_photo_wider_than_its_field_is_repeated():
    light = np.full((4, NOISE_SIZE + 30, 3), 0.2, np.float32)
    photo = develop(light, np.random.default_rng(0), exposure=1, blur_px=0, noise_levels=20)
    np.testing.assert_array_equal(photo[:, NOISE_SIZE:], photo[:, :30])
    assert (photo[:, :30] != photo[:, 30:60]).mean() > 0.5


def test_a_cut_of_a_canvas_gets_the_same_picture():
    whole, cut = grey_canvas(), grey_canvas()[20:200, 30:210]
    drawn(whole)
    drawn(cut, camera=CAMERA - [[0, 0, 30], [0, 0, 20], [0, 0, 0]])
    # Half-resolution rays start at another pixel; edges and fine texture may differ by a little.
    difference = np.abs(whole[20:200, 30:210] - cut)
    assert np.quantile(difference, 0.98) < 0.03


@pytest.mark.parametrize("num", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_the_mesh_finds_the_faces_and_their_irises(num):
    mesh, whole = FaceMesh(), np.array([0.0, 0.0, SIZE, SIZE])
    rng = np.random.default_rng(0)
    errors = []
    for seed in range(5000, 5000 + num):
        face = render_portrait(make_identity(seed), rng, size_px=SIZE)
        points = mesh.landmarks(face.image, whole)
        assert points is not None, f"identity {seed} is not found"
        x, y = face.eye_landmarks.reshape(2, 56)
        iris = np.array([[x[e : e + 8].mean(), y[e : e + 8].mean()] for e in (0, 28)])
        spacing = np.linalg.norm(iris[0] - iris[1])
        errors.append(np.linalg.norm(points[[468, 473], :2] - iris, axis=1).mean() / spacing)
    # Of the distance between the eyes; the prototype's median was 0.015.
    assert np.median(errors) < 0.04


def test_portraits_keep_to_the_asked_limits():
    rng = np.random.default_rng(1)
    for _ in range(3):
        face = render_portrait(
            make_identity(3), rng, size_px=96, head_limits_deg=(5, 10, 2), eye_limits_deg=(8, 4)
        )
        assert (np.abs(np.degrees(face.head_pose)) <= [5, 10, 2]).all()
        turn = np.degrees(face.gaze - face_direction(face.head_pose))
        assert (np.abs(turn) <= [8, 4]).all()


def test_shut_eyes_hide_the_ball():
    open_eyes, narrowed, shut = (dark_share(closure) for closure in (0.0, 0.5, 1.0))
    # A shut eye has the line of its lashes.
    assert open_eyes > narrowed > 1.5 * shut
    assert shut < 0.15


def dark_share(closure):
    """Of what the iris of a fair person with dark eyes would take up."""
    canvas = grey_canvas()
    found = drawn(canvas, identity=make_identity(4), closure=(closure, closure))
    x, y = found.eye_landmarks.reshape(2, 56)
    columns = np.round(x[28:36]).astype(int)
    rows = np.round(y[28:36]).astype(int)
    iris = canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].mean(-1)
    return (iris < 0.05).mean()
