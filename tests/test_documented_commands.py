"""README and docs: every command composes, every link and file name leads somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.small_training import REPO_DIR
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from common.config import schema
from common.runs.replay import config_name

PAGES = [REPO_DIR / "README.md", *sorted((REPO_DIR / "docs").glob("*.md"))]
# `...` on a page stands for what the user has already.
FILLED = {
    "train": ["model=gazepose", "data=ego4d"],
    "preprocess": ["data=ego4d"],
    "predict": ["run=runs/NAME"],
}
HYDRA_ONLY = ("-m", "--cfg", "--info", "-p")


def shell_lines(page: Path) -> Iterator[str]:
    """The lines of a page's bash blocks, continued ones joined."""
    for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def commands() -> list[tuple[str, str, list[str]]]:
    """Page, script and words of every call of one of our scripts, each once."""
    matches = {
        match[0]: (page.name, match)
        for page in reversed(PAGES)
        for line in shell_lines(page)
        if (match := re.search(r"(train|preprocess|predict)\.py (.*)", line))
    }
    return [
        (name, match[1], shlex.split(match[2], comments=True)) for name, match in matches.values()
    ]


def overrides(script: str, words: list[str]) -> list[list[str]]:
    """What Hydra is told: once each with the first and the last choice of a sweep."""
    filled = [new for word in words for new in (FILLED[script] if word == "..." else [word])]
    typed = []
    for place, word in enumerate(filled):
        is_value_of_flag = place > 0 and filled[place - 1] in ("--cfg", "--info", "-p")
        if word not in HYDRA_ONLY and not is_value_of_flag:
            typed.append(word)
    parsed = OverridesParser.create().parse_overrides(typed)
    return [[_chosen(override, end) for override in parsed] for end in (0, -1)]


def _chosen(override, end: int) -> str:  # type: ignore[no-untyped-def]
    if not override.is_sweep_override():
        return str(override.input_line)
    key = override.input_line.split("=", 1)[0]
    return f"{key}={list(override.sweep_string_iterator())[end]}"


def test_pages_hold_commands_of_every_script() -> None:
    assert {script for _, script, _ in commands()} == {"train", "preprocess", "predict"}
    assert len(commands()) > 40


@pytest.mark.parametrize(
    ("page", "script", "words"), commands(), ids=[" ".join(c[2])[:60] for c in commands()]
)
def test_a_documented_command_composes(page: str, script: str, words: list[str]) -> None:
    schema.register()
    file = config_name(words) if script == "train" else script
    with initialize_config_dir(str(REPO_DIR / "conf"), version_base="1.3"):
        for typed in overrides(script, words):
            compose(file, overrides=typed, return_hydra_config=True)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("http"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file) if file else page
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_named_files_are_there(page: Path) -> None:
    named = re.findall(r"`((?:src|tests|conf|docs|benchmarks)/[\w./-]+)`", page.read_text())
    real = [name for name in named if "NAME" not in name]
    assert [name for name in real if not (REPO_DIR / name).exists()] == []


def headings(page: Path) -> set[str]:
    """The anchors of a page, as they are made of its headings."""
    lines = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", line).lower().replace(" ", "-") for line in lines}
