"""Draw faces, their names, head axes, gaze arrows, landmarks and scores into an image, in place.

Images are (H, W, 3) uint8 RGB, boxes (4,) left, top, right, bottom and points (2,) x, y in pixels,
angles in radians in the viewer frame. A face's size, `face_px`, decides how wide its lines are.
"""

import cv2
import numpy as np

from common.arrays import Float, Image
from common.geometry import gaze_vector, rotation_from_head_pose

Colour = tuple[int, int, int]

# RGB.
BOX_COLOUR: Colour = (255, 214, 0)
GAZE_COLOUR: Colour = (255, 64, 160)
IRIS_COLOUR: Colour = (0, 220, 255)
LID_COLOUR: Colour = (255, 255, 255)
AXIS_COLOURS: tuple[Colour, ...] = ((235, 64, 52), (60, 180, 75), (56, 120, 255))
OUTLINE_COLOUR: Colour = (20, 20, 20)
POINT_COLOUR: Colour = (0, 220, 255)
TEXT_COLOUR: Colour = (255, 255, 255)

# Lines are at least this part of the image's longer side, or of the face's, wide.
LINE_OVER_IMAGE = 1 / 1000
LINE_OVER_FACE = 1 / 80
# Fractional bits of OpenCV's fixed-point coordinates.
SHIFT = 4


def face_size_px(bbox_xyxy_px: Float) -> float:
    """Return the longer side of a box."""
    return float(max(bbox_xyxy_px[2] - bbox_xyxy_px[0], bbox_xyxy_px[3] - bbox_xyxy_px[1]))


def draw_box(image: Image, bbox_xyxy_px: Float, colour: Colour = BOX_COLOUR) -> None:
    """Draw a face's box."""
    width = _line_width(image, face_size_px(bbox_xyxy_px))
    top_left, bottom_right = _fixed(bbox_xyxy_px[:2]), _fixed(bbox_xyxy_px[2:])
    for stroke, ink in ((width + 2, OUTLINE_COLOUR), (width, colour)):
        cv2.rectangle(image, top_left, bottom_right, ink, stroke, cv2.LINE_AA, SHIFT)


def draw_label(image: Image, text: str, bbox_xyxy_px: Float) -> None:
    """Write a text (ASCII) above a face's box, or in it where the image ends above."""
    width = _line_width(image, face_size_px(bbox_xyxy_px))
    font, scale, stroke = cv2.FONT_HERSHEY_SIMPLEX, max(0.4, width / 3), max(1, width // 2)
    (text_width, text_height), _ = cv2.getTextSize(text, font, scale, stroke)
    x = min(max(0, round(float(bbox_xyxy_px[0]))), max(0, image.shape[1] - text_width))
    y = round(float(bbox_xyxy_px[1])) - 2 * width
    if y < text_height:
        y = round(float(bbox_xyxy_px[1])) + text_height + 2 * width
    # Its outline is the text on all sides of it: in a wider stroke OpenCV 5 writes a longer one.
    offsets = (0, -1 - width // 4, 1 + width // 4)
    around = [((x + across, y + down), OUTLINE_COLOUR) for across in offsets for down in offsets]
    for place, ink in (*around, ((x, y), TEXT_COLOUR)):
        cv2.putText(image, text, place, font, scale, ink, stroke, cv2.LINE_AA)


def draw_points(image: Image, points_px: Float, face_px: float) -> None:
    """Draw points (N, 2) of a face as dots; those with a NaN are left out."""
    radius = max(2.0, face_px / 50)
    for point in points_px[np.isfinite(points_px).all(axis=1)]:
        for reach, ink in ((radius + 1, OUTLINE_COLOUR), (radius, POINT_COLOUR)):
            cv2.circle(image, _fixed(point), _scaled(reach), ink, -1, cv2.LINE_AA, SHIFT)


def draw_score_bar(
    image: Image, score: float, threshold: float, bbox_xyxy_px: Float, colour: Colour
) -> None:
    """Draw a score in [0, 1] as a bar under a face's box, with a mark at the threshold."""
    left, _, right, bottom = (float(value) for value in bbox_xyxy_px)
    thick = 2 * _line_width(image, face_size_px(bbox_xyxy_px))
    top = min(bottom + thick, image.shape[0] - 1.0 - thick)
    mark = left + threshold * (right - left)
    for end, ink in ((right, OUTLINE_COLOUR), (left + score * (right - left), colour)):
        cv2.rectangle(image, _fixed((left, top)), _fixed((end, top + thick)), ink, -1, 0, SHIFT)
    ends = _fixed((mark, top)), _fixed((mark, top + thick))
    cv2.line(image, *ends, TEXT_COLOUR, max(1, thick // 4), 0, SHIFT)


def draw_head_axes(image: Image, head_pose: Float, origin_px: Float, face_px: float) -> None:
    """Draw the axes of a head [pitch, yaw, roll]: red to its image-right, green up, blue forward.

    They are half as long as the face.
    """
    rotation = rotation_from_head_pose(head_pose)
    # The axis that points away from the viewer is drawn first.
    for axis in np.argsort(rotation[2]):
        tip_px = origin_px + image_offset(rotation[:, axis], face_px / 2)
        _line(image, origin_px, tip_px, AXIS_COLOURS[axis], _line_width(image, face_px))


def draw_gaze_arrow(
    image: Image, gaze: Float, origin_px: Float, face_px: float, colour: Colour = GAZE_COLOUR
) -> None:
    """Draw a gaze [yaw, pitch] as an arrow, at 90 degrees twice as long as the face.

    A glance into the camera is a dot.
    """
    width = _line_width(image, face_px)
    offset = image_offset(gaze_vector(np.asarray(gaze, np.float64)), 2 * face_px)
    tip_px = origin_px + offset
    _line(image, origin_px, tip_px, colour, width)
    length = float(np.linalg.norm(offset))
    if length > width:
        head = min(4.0 * width, length / 2)
        _line_head(image, tip_px, offset / length * head, colour, width)
    cv2.circle(image, _fixed(origin_px), _scaled(1.2 * width), colour, -1, cv2.LINE_AA, SHIFT)


def draw_eye_landmarks(image: Image, landmarks: Float) -> None:
    """Draw the lid and iris contours of eye landmarks (112,) in pixels."""
    points = landmarks.reshape(2, 2, 28).transpose(1, 2, 0)
    eye_px = float(np.linalg.norm(points[:, 8] - points[:, 14], axis=-1).max())
    # Thinner than the face's lines: an eye is a fifth of it.
    width = max(1, round(eye_px / 60))
    for eye in points:
        for ring, colour in ((eye[8:20], LID_COLOUR), (eye[:8], IRIS_COLOUR)):
            fixed = np.round(ring * 2**SHIFT).astype(np.int32)
            cv2.polylines(image, [fixed], True, colour, width, cv2.LINE_AA, SHIFT)


def image_offset(direction: Float, length_px: float) -> Float:
    """Return the (2,) pixel offset of a viewer-frame direction (3,) seen from the front."""
    return np.array([direction[0], -direction[1]]) * length_px


def _line_width(image: Image, face_px: float) -> int:
    wanted = max(LINE_OVER_IMAGE * max(image.shape[:2]), LINE_OVER_FACE * face_px)
    return max(2, round(wanted))


def _line(image: Image, start: Float, end: Float, colour: Colour, width: int) -> None:
    for stroke, ink in ((width + 2, OUTLINE_COLOUR), (width, colour)):
        cv2.line(image, _fixed(start), _fixed(end), ink, stroke, cv2.LINE_AA, SHIFT)


def _line_head(image: Image, tip: Float, along: Float, colour: Colour, width: int) -> None:
    across = np.array([-along[1], along[0]]) / 2
    for side in (across, -across):
        _line(image, tip, tip - along + side, colour, width)


def _fixed(point: Float | tuple[float, float]) -> tuple[int, int]:
    return _scaled(point[0]), _scaled(point[1])


def _scaled(value: float) -> int:
    return round(float(value) * 2**SHIFT)
