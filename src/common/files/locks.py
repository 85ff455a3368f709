"""Locks between processes, also of several machines: who holds one and dies lets it go."""

import errno
import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOG = logging.getLogger(__name__)
# What a file system answers that knows no locks.
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time into the block, of all that name the same lock.

    Its file is nothing else, and gone when nobody is in the block.
    """
    descriptor = _held(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        # Before it is let go: whoever waits finds it gone, and makes another.
        path.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def shared(path: Path, if_alone: Callable[[], object]) -> Iterator[None]:
    """Let any number of processes into the block.

    `if_alone` is called before it if nobody is in it, and whoever comes then waits; never where the
    file system knows no locks.
    """
    try:
        descriptor = _held(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Again, to be told whether there are locks.
        if _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if_alone()
        # Who comes in between is alone, too: nothing has begun here.
        _lock(descriptor, fcntl.LOCK_SH)
    except BlockingIOError:
        descriptor = _held(path, fcntl.LOCK_SH)
    try:
        yield
    finally:
        with suppress(BlockingIOError):  # the last one removes it
            _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _held(path: Path, kind: int) -> int:
    """Return the descriptor of a file with a lock on it; without one where there are no locks.

    Raises:
        BlockingIOError: If somebody else has it and `kind` says not to wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            has_locks = _lock(descriptor, kind)
        except OSError:
            os.close(descriptor)
            raise
        if not has_locks:
            LOG.warning("%s: this file system has no locks; start one process at a time", path)
        if not has_locks or _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    """Lock a file, or change its lock; return whether the file system knows locks."""
    try:
        # Not lockf, as `common.runs.claim` has it: that one lets every thread of a process in.
        fcntl.flock(descriptor, kind)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """Return whether a lock's file was not removed while it was waited for."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
