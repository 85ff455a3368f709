"""docs/architecture.md: its picture and its names are those of the code."""

import ast
import re
import runpy

from builders.small_training import REPO_DIR

PAGE = REPO_DIR / "docs" / "architecture.md"


def test_the_picture_is_that_of_the_code() -> None:
    script = runpy.run_path(str(REPO_DIR / "docs" / "architecture" / "rooms.py"))
    assert script["PICTURE"].read_text() == script["picture"](), (
        "type python docs/architecture/rooms.py"
    )


def test_names_on_the_page_are_defined_where_they_lead() -> None:
    links = re.findall(r"\[([^\]]*)\]\(\.\./(src/[\w/]+\.py)\)", PAGE.read_text())
    named = [(name, file) for text, file in links for name in re.findall(r"`(\w+)`", text)]
    assert len(named) > 20
    for name, file in named:
        body = ast.parse((REPO_DIR / file).read_text()).body
        assert name in {getattr(node, "name", None) for node in body}, (name, file)
