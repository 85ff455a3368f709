"""Events in the frames of a track: when something begins and ends, and how two lists agree."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

# First and last frame, the last included.
Event = tuple[int, int]
MIN_IOU = 0.5


def add_frame(events: list[Event], frame: int, stride_frames: int = 1) -> None:
    """Let the latest event of a track go on into its next frame, or begin one there.

    An event is a run of judged frames in all of which something is the case. Nothing is bridged: a
    frame in which it is not, that was not judged or in which the face was not seen ends it. From
    one judged frame to the next it is a stride.
    """
    if events and frame - events[-1][1] <= stride_frames:
        events[-1] = (events[-1][0], frame)
    else:
        events.append((frame, frame))


def events_of(frames: Iterable[int], stride_frames: int = 1) -> list[Event]:
    """Return the events of ascending numbers of frames in which something is the case."""
    events: list[Event] = []
    for frame in frames:
        add_frame(events, frame, stride_frames)
    return events


def matched(
    true: Sequence[Event], said: Sequence[Event], stride_frames: int = 1
) -> list[tuple[Event, Event]]:
    """Return the pairs of a true event and the one that was said for it, each in one pair at most.

    The pair of the greatest IoU comes first, and so on down to an IoU of `MIN_IOU`. A judged frame
    stands for a stride of them.
    """
    overlaps = [(_iou(one, other, stride_frames), one, other) for one in true for other in said]
    overlaps = [each for each in overlaps if each[0] >= MIN_IOU]
    pairs: list[tuple[Event, Event]] = []
    for _, one, other in sorted(overlaps, key=itemgetter(0), reverse=True):
        if all(one != before and other != after for before, after in pairs):
            pairs.append((one, other))
    return pairs


def _iou(one: Event, other: Event, stride_frames: int) -> float:
    """Return the share of the time of either event that they have in common."""
    common = min(one[1], other[1]) - max(one[0], other[0]) + stride_frames
    either = max(one[1], other[1]) - min(one[0], other[0]) + stride_frames
    return max(0, common) / either
