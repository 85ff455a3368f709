"""Peak memory of a process, on Linux and macOS."""

import re
import resource
import sys
from pathlib import Path

_LINUX_STATUS = Path("/proc/self/status")


def peak_memory_mib() -> float:
    """Return the most physical memory this process has held so far, in MiB.

    Linux tells it by ``VmHWM``: ``ru_maxrss`` of a child begins at its parent's, there.
    """
    if _LINUX_STATUS.is_file():
        (peak_kib,) = re.findall(r"VmHWM:\s+(\d+) kB", _LINUX_STATUS.read_text())
        return int(peak_kib) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts in bytes, the BSDs in KiB.
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
