"""Loaded by every Python process under test: counts its writes, and may kill its whole group.

A write is a file below KILLS_FOLDER that is opened to be written, renamed or removed. Its number
is the size of the file KILLS_COUNT, which all processes of a command add a byte to.
"""

import os
import signal
import sys
import threading
from typing import Any

_FOLDER = os.environ["KILLS_FOLDER"]
_AT = int(os.environ["KILLS_AT"])  # 0: never
_DELAY_S = float(os.environ["KILLS_DELAY_S"])
_COUNT = os.open(os.environ["KILLS_COUNT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _kill() -> None:
    os.killpg(0, signal.SIGKILL)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        if not flags & _WRITING:
            return
    elif event in ("os.rename", "os.remove"):
        path = arguments[0]
    else:
        return
    if isinstance(path, int) or not os.path.abspath(os.fsdecode(path)).startswith(_FOLDER):
        return
    os.write(_COUNT, b".")
    if os.fstat(_COUNT).st_size == _AT:
        # Before it, or while it is written.
        threading.Timer(_DELAY_S, _kill).start() if _DELAY_S else _kill()


sys.addaudithook(_watch)
