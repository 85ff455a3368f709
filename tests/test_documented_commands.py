"""README and docs: every command composes, every link and file name leads somewhere."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from builders.small_training import REPO_DIR, composition
from builders.train_configs import CONF_DIR
from hydra.core.override_parser.overrides_parser import OverridesParser

from common.runs.replay import config_name

PAGES = [REPO_DIR / "README.md", *sorted((REPO_DIR / "docs").glob("*.md"))]
# `...` on a page stands for what the user has already.
FILLED = {
    "train": ["model=gazepose", "data=ego4d"],
    "preprocess": ["data=ego4d"],
    "predict": ["run=runs/NAME"],
}
HYDRA_ONLY = ("-m", "--cfg", "--info", "-p")


def lines(page: Path) -> Iterator[str]:
    """The lines of a page's bash blocks, continued ones joined, and commands within its text."""
    text = page.read_text()
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`(python [^`\n]+)`", text)


def commands() -> set[tuple[str, str]]:
    """Script and what is typed behind it of every call of one of our scripts."""
    called = re.compile(r"(train|preprocess|predict)\.py (.*)")
    return {
        match.groups() for page in PAGES for line in lines(page) if (match := called.search(line))
    }


def overrides(script: str, words: list[str]) -> list[list[str]]:
    """What Hydra is told: with the first and with the last choice of a sweep."""
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


def compositions() -> dict[tuple[str, ...], list[str]]:
    """By config file and choices of groups: the options that are typed with them anywhere.

    Hydra checks them one by one, so that all of them are composed at once.
    """
    found: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for script, text in sorted(commands()):
        words = shlex.split(text, comments=True)
        file = config_name(words) if script == "train" else script
        for typed in overrides(script, words):
            choices = [one for one in typed if (CONF_DIR / one.partition("=")[0]).is_dir()]
            found[file, *sorted(choices)] |= dict.fromkeys(typed)
    return {choices: list(typed) for choices, typed in found.items()}


def test_pages_hold_commands_of_every_script() -> None:
    assert {script for script, _ in commands()} == {"train", "preprocess", "predict"}
    assert len(commands()) > 40


COMPOSITIONS = compositions()


@pytest.mark.parametrize(
    ("choices", "typed"), COMPOSITIONS.items(), ids=[" ".join(choices) for choices in COMPOSITIONS]
)
def test_documented_commands_compose(choices: tuple[str, ...], typed: list[str]) -> None:
    composition(choices[0], *typed)


def test_documented_modules_can_be_run() -> None:
    text = "\n".join(line for page in PAGES for line in lines(page))
    modules = set(re.findall(r"python -m ((?:common|flame|gazepose)[\w.]*)", text))
    assert "common.report" in modules
    assert [name for name in modules if find_spec(f"{name}.__main__") is None] == []


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
