"""What scenes are made of: motion, attention, a moving camera, poses, occlusion, the film."""

from dataclasses import replace

import numpy as np
import pytest

from common.faces.mediapipe.mesh import FaceMesh
from common.geometry import CAMERA_TO_VIEWER, gaze_vector
from common.synthetic.behaviour.attention import Habits, Target, plan_attention
from common.synthetic.behaviour.camera_path import SHUTTER, sample_camera_path
from common.synthetic.behaviour.motion import blinks, excursion, follow, smooth_noise
from common.synthetic.ego4d.film import film
from common.synthetic.ego4d.plan import Ego4dPlan
from common.synthetic.ego4d.scene import stage
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.face_pose import FacePose
from common.synthetic.rendering.occlusion import Passer, visible_shares
from common.synthetic.rendering.placement import project

LENS = np.array([[750.0, 0, 479.5], [0, 750.0, 269.5], [0, 0, 1.0]])
PLAN = Ego4dPlan(8, 0, 0, 60, (960, 540), 7.0, 0.25, 1)


def habits(**changes):
    usual = {
        "looking_share": 0.3,
        "looking_angle_deg": 7.0,
        "rest_deg": np.zeros(2),
        "neighbours_deg": np.array([[45.0, 0.0]]),
    }
    return Habits(**{**usual, **changes})


@pytest.fixture(scope="module")
def scenes():
    return [stage(PLAN, clip) for clip in PLAN.clips()]


# Motion


def test_smooth_noise_has_its_spread_and_no_jumps():
    noise = smooth_noise(np.random.default_rng(0), 20000, 3.0, 10.0, 2)
    np.testing.assert_allclose(noise.std(0), 3.0, rtol=0.1)
    assert np.abs(np.diff(noise, axis=0)).max() < 1.5


def test_followers_arrive_without_overshooting():
    targets = np.concatenate([np.zeros((5, 1)), np.full((60, 1), 10.0)])
    path = follow(targets, 4.0)[:, 0]
    assert path[4] == 0
    assert 0 < path[6] < 5
    assert path[-1] == pytest.approx(10, abs=0.01)
    assert path.max() < 10.2


def test_excursions_go_and_come_back():
    amount = excursion(40, start=5, there=8, stay=4, back=10)
    assert amount[5] == 0
    np.testing.assert_allclose(amount[13:18], 1, atol=1e-12)
    np.testing.assert_allclose(amount[27:], 0, atol=1e-12)
    assert amount[9] == pytest.approx(0.5)


def test_eyes_blink_now_and_then():
    closure = blinks(np.random.default_rng(0), 30 * 600)
    assert closure.min() == 0
    assert closure.max() == 1
    assert 0.01 < (closure >= 0.5).mean() < 0.08


# Attention


def test_looks_into_the_camera_take_their_share():
    gaze = plan_attention(np.random.default_rng(0), 60000, habits()).gaze_deg
    assert (np.hypot(*gaze.T) < 2.5).mean() == pytest.approx(0.3, abs=0.03)


def test_who_avoids_the_camera_never_looks_near_it():
    gaze = plan_attention(np.random.default_rng(1), 60000, habits(looking_share=0.0)).gaze_deg
    assert np.hypot(*gaze.T).min() > 7.0


def test_the_head_follows_without_jumps_and_keeps_within_the_eyes_reach():
    attention = plan_attention(np.random.default_rng(2), 5000, habits())
    assert np.abs(np.diff(attention.head_deg, axis=0)).max() < 12
    jumps = np.abs(np.diff(attention.gaze_deg, axis=0)).max(1)
    assert jumps.max() > 25
    settled = np.ones(5000, bool)
    for frame in np.flatnonzero(jumps > 3):
        settled[frame : frame + 20] = False
    turn = np.abs(attention.gaze_deg - attention.head_deg)[settled]
    assert turn[:, 0].max() < 34


def test_without_others_nobody_is_looked_at():
    attention = plan_attention(
        np.random.default_rng(4), 5000, habits(neighbours_deg=np.array([[5.0, 3.0]]))
    )
    assert Target.PERSON not in attention.target
    assert Target.PERSON in plan_attention(np.random.default_rng(4), 5000, habits()).target


# Camera


def test_a_smear_is_half_of_the_way_between_frames():
    camera = sample_camera_path(np.random.default_rng(4), 60, LENS)
    far_cm = np.tile([0.0, 0.0, 1e6], (60, 1))
    pixels = project(LENS, camera.see(far_cm))
    middle = np.hypot(*(pixels - LENS[:2, 2]).T) < 60
    moved = np.gradient(pixels, axis=0)
    assert middle[1:-1].any()
    np.testing.assert_allclose(camera.smear_px[middle], SHUTTER * moved[middle], atol=1.0)


# Poses


def labels(scene, act, frame):
    """Return what a frame of a performance draws."""
    identity = make_identity(act.traits.seed, 128)
    pose = FacePose.of(
        identity,
        head_pose=act.head_pose[frame],
        gaze=act.gaze[frame],
        position_cm=act.position_cm[frame],
        pupil_radius_cm=0.2,
        closure=(0.0, 0.0),
        limit_eye_turn=True,
    )
    return pose.labels(identity, scene.camera.matrix)


def test_the_gaze_error_is_that_of_the_drawn_eyes(scenes):
    for scene in scenes[:3]:
        for actor in scene.actors:
            act = actor.performance
            for frame in (0, 30, 59):
                drawn = labels(scene, act, frame)
                to_camera = CAMERA_TO_VIEWER @ -drawn.eye_centres.mean(0)
                cosine = gaze_vector(drawn.gaze) @ to_camera / np.linalg.norm(to_camera)
                assert np.degrees(np.arccos(cosine)) == pytest.approx(
                    act.gaze_error_deg[frame], abs=0.05
                )


def test_boxes_hold_the_eyes_and_are_as_wide_as_faces(scenes):
    num_faces = 0
    for scene in scenes[:3]:
        for actor in scene.actors:
            act = actor.performance
            # Of a profile's far eye the box may leave a corner out.
            seen = [f for f in (0, 59) if abs(act.head_pose[f, 1]) < np.radians(45)]
            for frame in seen:
                x, y = labels(scene, act, frame).eye_landmarks.reshape(2, 56)
                x0, y0, x1, y1 = act.boxes_xyxy_px[frame]
                assert x0 < x.min() < x.max() < x1
                assert y0 < y.min() < y.max() < y0 + 0.6 * (y1 - y0)
                width_cm = (x1 - x0) * act.position_cm[frame, 2] / LENS[0, 0]
                assert 10 < width_cm < 21
            num_faces += len(seen)
    assert num_faces > 5


# Occlusion


def test_a_passer_hides_what_it_covers_and_nothing_else():
    boxes = np.tile([400.0, 200.0, 500.0, 330.0], (3, 1))
    passer = Passer(
        centre_px=np.array([[450.0, 265.0], [500.0, 265.0], [800.0, 265.0]]),
        half_px=np.array([90.0, 90.0]),
        tilt_rad=0.0,
        rgb=np.full(3, 0.1),
    )
    whole, half, none = visible_shares(boxes, [], LENS, passer, (960, 540))
    assert whole == 0
    assert 0 < half < 0.6
    assert none == 1


def test_nearer_people_and_the_border_hide_faces():
    boxes = np.array([[400.0, 200.0, 500.0, 330.0], [-50.0, 200.0, 50.0, 330.0]])
    near_cm = np.array([[-4.0, 0.0, 90.0], [np.nan] * 3])
    behind, at_border = visible_shares(boxes, [near_cm], LENS, None, (960, 540))
    assert behind < 0.2
    assert at_border == pytest.approx(0.5, abs=0.08)


def test_a_passer_is_painted_where_it_covers():
    centres_px = np.array([[60.0, 40.0], [400.0, 40.0]])
    passer = Passer(centres_px, np.array([20.0, 10.0]), 0.4, np.full(3, 0.05))
    canvas = np.full((90, 120, 3), 0.8, np.float32)
    passer.paint(canvas, 1)
    assert (canvas == np.float32(0.8)).all()
    passer.paint(canvas, 0)
    assert canvas[40, 60].max() < 0.1
    assert canvas[5, 5].min() == np.float32(0.8)


# Film


def test_who_is_out_of_sight_leaves_no_trace(scenes):
    aside_cm = np.array([500.0, 0, 0])
    actors = [
        replace(actor, performance=replace(act, position_cm=act.position_cm + aside_cm))
        for actor in scenes[0].actors
        for act in [actor.performance]
    ]
    frames = [next(film(replace(scenes[0], actors=cast), (192, 108))) for cast in (actors, ())]
    np.testing.assert_array_equal(*frames)


def test_the_mesh_finds_a_filmed_face_where_its_box_is(scenes):
    mesh, found, asked = FaceMesh(), 0, 0
    for scene in scenes[:2]:
        image = next(film(scene, PLAN.image_size))
        assert image.shape == (540, 960, 3)
        for actor in scene.actors:
            if actor.visible[0] > 0.8 and actor.performance.head_error_deg[0] < 40:
                asked += 1
                box = actor.performance.boxes_xyxy_px[0]
                points = mesh.landmarks(image, box)
                if points is None:
                    continue
                found += 1
                size = box[2:] - box[:2]
                assert (points[:, :2] > box[:2] - 0.2 * size).all()
                assert (points[:, :2] < box[2:] + 0.2 * size).all()
    assert asked >= 3
    assert found >= 0.8 * asked
