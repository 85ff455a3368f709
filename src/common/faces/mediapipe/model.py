"""The file of nets that MediaPipe's Tasks run: fetched once, checked, kept in a cache folder."""

import hashlib
import logging
import os
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from common.faces.mediapipe.release import has_solutions
from common.files.atomic import partial_path
from common.files.checksums import file_sha256
from common.files.locks import locked

LOG = logging.getLogger(__name__)
URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    "face_landmarker.task"
)
SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
NUM_BYTES = 3_758_596
_TIMEOUT_S = 30


def model_path() -> Path:
    """Return where the file is kept: in ``gaze-suite`` of the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "gaze-suite" / "face_landmarker.task"


def face_model(url: str = URL) -> Path:
    """Return the file; if it is not in the cache folder, or damaged, it is fetched.

    Of several processes one fetches, and the others wait for it.

    Raises:
        ValueError: If it cannot be fetched or kept, or is not the one that is expected.
    """
    path = model_path()
    try:
        if not _is_whole(path):
            with locked(path.with_name(f".{path.name}.lock")):
                if not _is_whole(path):
                    _fetch(url, path)
    except (OSError, HTTPException) as error:
        raise ValueError(
            f"MediaPipe's face model is not at {path} and cannot be fetched from {url} "
            f"({type(error).__name__}: {error}). Type faces.model=PATH of a copy once, or put one "
            "there"
        ) from error
    return path


def keep_face_model(copy: str | None) -> None:
    """Take the file from a copy of it, if one is named, in place of the network.

    Raises:
        ValueError: As `face_model`; also of a wrong copy where the file is kept already.
    """
    if copy is None:
        return
    if has_solutions():
        LOG.warning("faces.model=%s is not used: this MediaPipe's wheel holds its models", copy)
        return
    path = Path(copy)
    if not path.is_file():
        raise ValueError(f"faces.model={copy} is not there; expected a copy of {URL}")
    _check(path.read_bytes(), f"faces.model={copy}")
    face_model(path.resolve().as_uri())


def _is_whole(path: Path) -> bool:
    return path.is_file() and file_sha256(path) == SHA256


def _fetch(url: str, path: Path) -> None:
    with urlopen(url, timeout=_TIMEOUT_S) as answer:
        content: bytes = answer.read(NUM_BYTES + 1)
    _check(content, url)
    with partial_path(path) as partial:
        partial.write_bytes(content)


def _check(content: bytes, source: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ValueError(
            f"{source} is not MediaPipe's face model of {NUM_BYTES} bytes and SHA-256 {SHA256}: "
            f"got {len(content)} bytes of {found}"
        )
