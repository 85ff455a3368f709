"""The doors of the packages, seen from outside."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders.small_training import REPO_DIR

FACES = {
    "flame": ["Predictor", "load_net", "load_statistics", "render_heatmaps"],
    "gazepose": ["Predictor", "evaluate_lam", "load_net"],
}


def python(code: str, folder: Path, *search_path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a folder, as a user types it there."""
    found = os.pathsep.join(map(str, [*search_path, REPO_DIR / "src"]))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": found},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_the_packages_is_light(tmp_path: Path) -> None:
    code = "import sys, flame, gazepose; print({'torch', 'numpy', 'polars'} & set(sys.modules))"
    assert python(code, tmp_path).stdout == "set()\n"


@pytest.mark.parametrize(("package", "names"), FACES.items())
def test_a_face_shows_what_its_rooms_have(package: str, names: list[str]) -> None:
    face = __import__(package)
    assert face.__all__ == names
    for name in names:
        assert getattr(face, name).__module__.startswith(f"{package}.")
    with pytest.raises(AttributeError, match=rf"{package}.*load_nets"):
        face.load_nets  # noqa: B018


@pytest.mark.parametrize("package", FACES)
def test_another_common_in_the_way_is_named(package: str, tmp_path: Path) -> None:
    other = tmp_path / "common"
    other.mkdir()
    (other / "__init__.py").touch()
    said = python(f"import {package}", tmp_path, tmp_path).stderr.splitlines()[-1]
    assert said.startswith("ImportError")
    assert str(other) in said
    assert "PYTHONPATH" in said


def test_the_documented_library_is_the_real_one() -> None:
    block = re.search(r"```python\n(.*?)```", (REPO_DIR / "docs/predicting.md").read_text(), re.S)
    assert block is not None
    used = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(block[1]))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in FACES
    }
    assert used == {(package, name) for package, names in FACES.items() for name in names}
