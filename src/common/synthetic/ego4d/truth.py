"""The truth about a demo data set, kept beside what readers read: `truth.json`."""

from typing import Any

import numpy as np

from common.arrays import Float
from common.synthetic.behaviour.attention import Target
from common.synthetic.ego4d.challenge import truth_rows
from common.synthetic.ego4d.plan import Ego4dPlan
from common.synthetic.ego4d.scene import Actor, Scene

Json = dict[str, Any]

TRUTH_FILE = "truth.json"


def truth(plan: Ego4dPlan, scenes: list[Scene]) -> Json:
    """Return what is known of every person in every frame, and the test crops' hidden labels.

    Angles are degrees; head_yaw and head_pitch are in the suite's viewer frame (+pitch down),
    gaze_error and head_error the angles between gaze or face and the way to the camera.
    """
    return {
        "looking_angle_deg": plan.looking_angle_deg,
        "clips": {scene.clip.clip_uid: _clip(plan, scene) for scene in scenes},
        "test_labels": [
            row
            for scene in scenes
            if scene.clip.part == "test"
            for row in truth_rows(scene, plan.looking_angle_deg)
        ],
    }


def _clip(plan: Ego4dPlan, scene: Scene) -> Json:
    return {
        "part": scene.clip.part,
        "people": {actor.person_id: _person(plan, actor) for actor in scene.actors},
    }


def _person(plan: Ego4dPlan, actor: Actor) -> Json:
    act = actor.performance
    return {
        "identity_seed": act.traits.seed,
        "is_looking": act.is_looking(plan.looking_angle_deg).astype(int).tolist(),
        "gaze_error_deg": _rounded(act.gaze_error_deg, 2),
        "head_error_deg": _rounded(act.head_error_deg, 2),
        "gaze_yaw_pitch_deg": _rounded(np.degrees(act.gaze), 2),
        "head_pitch_yaw_roll_deg": _rounded(np.degrees(act.head_pose), 2),
        "closure": _rounded(act.closure, 2),
        "visible": _rounded(actor.visible, 2),
        "target": [Target(value).name.lower() for value in act.target],
        "bbox_xyxy_px": _rounded(act.boxes_xyxy_px, 1),
    }


def _rounded(values: Float, digits: int) -> Any:
    return np.round(values, digits).tolist()
