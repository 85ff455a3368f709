"""An MP4's or MOV's table of frames: where decoding may start, what a cut file lacks."""

from dataclasses import dataclass
from typing import Any

import av

_PROGRESSIVE = 1
_IDR = 5
# First byte of the extradata where packets hold length and unit by turns.
_AVCC = 1


@dataclass(frozen=True)
class SeekPoint:
    """A frame from which decoding gives what it gives from the video's start.

    Attributes:
        number: of the frame, 0-based.
        timestamp: seeking to it finds the frame; in units of the stream's time base.
    """

    number: int
    timestamp: int


def num_beyond_end(stream: Any, num_bytes: int) -> int:
    """Return how many frames of an open stream lie, in part, after the end of its file."""
    return sum(entry.pos + entry.size > num_bytes for entry in stream.index_entries)


def seek_point(container: Any, stream: Any, number: int) -> SeekPoint | None:
    """Return the last frame up to a wanted one from which decoding is exact.

    Only H.264's IDR pictures are: no later picture refers to one before, and all pictures before
    are shown before, so that its place in the file's table is its number. What containers mark as
    keyframes is often less (open groups, intra refresh), so that the packet itself is asked.

    Args:
        container: open, nothing read from it; of no more use after.
        stream: its video.
        number: 0-based, of the wanted frame.

    Returns:
        None if there is none after the video's first frame, or the table does not tell.
    """
    if not _is_exact(stream, list(stream.index_entries)):
        return None
    # Copied: the entries themselves point into memory that seeking may move.
    timestamps = [entry.timestamp for entry in stream.index_entries]
    places = {entry.pos: place for place, entry in enumerate(stream.index_entries)}
    if not _is_idr(_packet_at(container, stream), stream):
        return None
    place = min(number, len(timestamps) - 1)
    while place > 0:
        timestamp = timestamps[place]
        packet = _packet_at(container, stream, timestamp)
        found = 0 if packet is None else places.get(packet.pos, 0)
        if found and _is_idr(packet, stream):
            return SeekPoint(found, timestamp)
        place = found - 1
    return None


def _is_exact(stream: Any, entries: list[Any]) -> bool:
    """Return whether every entry of the table is one shown frame."""
    codec = stream.codec_context
    return (
        codec.name == "h264"
        and codec.field_order == _PROGRESSIVE
        and bytes(codec.extradata or b"")[:1] == bytes([_AVCC])
        and len(entries) == stream.frames > 0
        and entries[0].is_keyframe
        and not any(entry.is_discard or entry.size == 0 for entry in entries)
    )


def _packet_at(container: Any, stream: Any, timestamp: int | None = None) -> Any:
    """Return the packet that seeking finds, without a timestamp the next; None if there is none."""
    try:
        if timestamp is not None:
            container.seek(timestamp, stream=stream)
        return next(container.demux(stream), None)
    except av.error.FFmpegError:
        return None


def _is_idr(packet: Any, stream: Any) -> bool:
    """Return whether one of a packet's NAL units belongs to an IDR picture."""
    content = b"" if packet is None else bytes(packet)
    num_length_bytes = (bytes(stream.codec_context.extradata)[4] & 3) + 1
    position = 0
    while position + num_length_bytes < len(content):
        start = position + num_length_bytes
        if content[start] & 0x1F == _IDR:
            return True
        position = start + int.from_bytes(content[position:start], "big")
    return False
