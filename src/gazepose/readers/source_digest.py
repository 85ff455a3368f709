"""What of a clip's face images says whether they are still the same."""

import os
from pathlib import Path


def image_names(folder: Path) -> list[str]:
    """Return the files in a folder's sub-folders, as ``track/name``.

    Names alone: every run asks for them, and a network drive takes hours to tell the sizes of
    millions of files. A copy of the folder has other times, and would be another one by them.
    """
    with os.scandir(folder) as entries:
        tracks = [entry.name for entry in entries if entry.is_dir()]
    return sorted(f"{track}/{name}" for track in tracks for name in os.listdir(folder / track))
