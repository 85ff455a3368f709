"""Square portraits with head pose, gaze and distance drawn at random."""

import numpy as np

from common.geometry import face_direction
from common.synthetic.people.head import Identity
from common.synthetic.rendering.placement import centred_camera
from common.synthetic.rendering.renderer import RenderedFace, render_face

# How much of the scene the square shows at the head, and where the head is in it.
SPAN_CM, DISTANCE_CM = (26.0, 36.0), (60.0, 140.0)
SIDEWAYS_CM, HEIGHT_CM = (-2.0, 2.0), (-2.5, 1.5)


def render_portrait(
    identity: Identity,
    rng: np.random.Generator,
    *,
    size_px: int = 224,
    head_limits_deg: tuple[float, float, float] = (20.0, 30.0, 10.0),
    eye_limits_deg: tuple[float, float] = (25.0, 15.0),
) -> RenderedFace:
    """Return a square photo of one person.

    Head pitch, yaw and roll are uniform within their limits, and so are the eyes' yaw and pitch
    away from where the face points.
    """
    head_pose = np.radians(rng.uniform(-1, 1, 3) * head_limits_deg)
    gaze = face_direction(head_pose) + np.radians(rng.uniform(-1, 1, 2) * eye_limits_deg)
    distance, span = rng.uniform(*DISTANCE_CM), rng.uniform(*SPAN_CM)
    return render_face(
        identity,
        head_pose=head_pose,
        gaze=gaze,
        position_cm=np.array([rng.uniform(*SIDEWAYS_CM), rng.uniform(*HEIGHT_CM), distance]),
        camera_matrix=centred_camera((size_px, size_px), size_px * distance / span),
        image_size=(size_px, size_px),
        rng=rng,
    )
