"""What is installed from a wheel is what is in src."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from builders.small_training import REPO_DIR

PACKAGES = ("common", "flame", "gazepose")


def built_wheel(folder: Path) -> zipfile.ZipFile:
    """A wheel of a copy, as building leaves files beside the sources."""
    shutil.copytree(REPO_DIR / "src", folder / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPO_DIR / name, folder)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--wheel-dir", folder, folder], check=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_a_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    in_src = {
        path.relative_to(REPO_DIR / "src").as_posix()
        for package in PACKAGES
        for path in (REPO_DIR / "src" / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with built_wheel(tmp_path) as wheel:
        in_wheel = {name for name in wheel.namelist() if name.startswith(PACKAGES)}
    assert in_wheel == in_src
    kinds = {Path(name).suffix for name in in_wheel}
    assert kinds == {".py", ".json", ".yaml", ".html", ".css", ".js"}
