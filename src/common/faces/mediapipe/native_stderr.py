"""Silence what native libraries write to file descriptor 2."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence_native_stderr() -> Iterator[None]:
    """Send file descriptor 2 to the null device for the duration of the block.

    MediaPipe's graphs write about five lines each on construction and first use, which no
    logging setting stops. The redirection holds for the whole process, other threads included,
    so use it only where a worker starts.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(null)
        os.close(saved)
