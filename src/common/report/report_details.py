"""Pictures that runs left, copied beside the page and shown in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree.ElementTree import Element

from common.atomic import partial_path
from common.report.html import image_node, node
from common.report.run import ModelTest


def details_of_test(
    test: ModelTest, title: str, stem: str, output_dir: Path, is_open: bool = False
) -> Element:
    """Return a test's own figure under a title that unfolds it.

    Args:
        test: whose figure lies beside its summary.
        title: of the fold.
        stem: of the figure's name on the page.
        output_dir: the page's folder.
        is_open: whether it starts unfolded.
    """
    figure = test.path.with_suffix(".png")
    shown = (
        image_node(copied_image(figure, stem, output_dir), f"{test.run.name}/{test.folder}")
        if figure.is_file()
        else node("p", f"no figure beside {test.path.name}", class_="muted")
    )
    return node("details", node("summary", title), shown, **({"open": ""} if is_open else {}))


def copied_image(path: Path, stem: str, output_dir: Path) -> str:
    """Copy an image into the page's folder; return its path relative to the page."""
    source = f"images/{stem}{path.suffix}"
    with partial_path(output_dir / source) as partial:
        shutil.copyfile(path, partial)
    return source
