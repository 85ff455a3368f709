"""Draws the rooms of src/ and who uses whom, as the code's imports have it, into rooms.svg.

python docs/architecture/rooms.py

A room's text is its package's docstring, its place in the picture is its layer in pyproject.toml
(import-linter holds those). Of the arrows inside a package those are drawn that others do not
imply; what a room uses of `common` is listed in its box.
"""

import ast
import textwrap
import tomllib
from html import escape
from pathlib import Path
from typing import NamedTuple

import grimp

REPO_DIR = Path(__file__).parents[2]
PICTURE = Path(__file__).with_name("rooms.svg")
LINES, SHARED = ("gazepose", "flame"), "common"
COLOURS = {"gazepose": "#e8f0fb", "flame": "#fdf0e3", "common": "#eef5ec"}
WIDTH_PX, HEIGHT_PX, GAP_PX, ROW_PX, MARGIN_PX = 190, 104, 14, 136, 20
TEXT_WIDTH = 31  # characters of a line in a box
STYLE = (
    "text{font-family:sans-serif;fill:#222}.name{font-size:13px;font-weight:bold}"
    ".what{font-size:10.5px}.uses{font-size:9.5px;fill:#557}.package{font-size:17px;"
    "font-weight:bold}.box{stroke:#99a;stroke-width:1}.arrow{fill:none;stroke:#8794a8;"
    "stroke-width:1.3;marker-end:url(#tip)}"
)

Uses = dict[str, set[str]]


class Box(NamedTuple):
    """Where a room is drawn: its left upper corner in pixels."""

    x: float
    y: float


def room_of(module: str) -> str:
    """Return the first-level room of a module, e.g. ``flame.nets``."""
    return ".".join(module.split(".")[:2])


def room_uses() -> Uses:
    """Return for every room the rooms that its files import from."""
    graph = grimp.build_graph(*LINES, SHARED, cache_dir=None)
    uses: Uses = {room_of(module): set() for module in graph.modules if "." in module}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            ends = room_of(module), room_of(imported)
            if ends[0] != ends[1] and all(end in uses for end in ends):
                uses[ends[0]].add(ends[1])
    return uses


def drawn_arrows(uses: Uses) -> list[tuple[str, str]]:
    """Return the arrows inside packages that no path of others implies."""
    inside = {
        room: {used for used in others if used.split(".")[0] == room.split(".")[0]}
        for room, others in uses.items()
    }

    def reached(room: str) -> set[str]:
        return set().union(*({used} | reached(used) for used in inside[room]))

    return [
        (room, used)
        for room in sorted(inside)
        for used in sorted(inside[room])
        if not any(used in reached(other) for other in inside[room] - {used})
    ]


def layers() -> dict[str, list[list[str]]]:
    """Return each package's layers of rooms from above, as import-linter holds them."""
    settings = tomllib.loads((REPO_DIR / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    return {
        contract["containers"][0]: [
            [f"{contract['containers'][0]}.{room.strip()}" for room in layer.split("|")]
            for layer in contract["layers"]
        ]
        for contract in contracts
        if contract["type"] == "layers" and contract["containers"][0] in (*LINES, SHARED)
    }


def described(room: str) -> tuple[str, int]:
    """Return the first line of a room's docstring, and the number of its files."""
    folder = REPO_DIR / "src" / Path(*room.split("."))
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    files = [path for path in folder.rglob("*.py") if path.name != "__init__.py"]
    return docstring.splitlines()[0], len(files) or 1


def placed(rooms: list[list[str]], left: float, top: float, width: float) -> dict[str, Box]:
    """Return a place for every room: a layer a row, centred."""
    boxes = {}
    for row, layer in enumerate(rooms):
        row_width = len(layer) * (WIDTH_PX + GAP_PX) - GAP_PX
        start = left + (width - row_width) / 2
        for place, room in enumerate(layer):
            boxes[room] = Box(start + place * (WIDTH_PX + GAP_PX), top + row * ROW_PX)
    return boxes


def box_svg(room: str, box: Box, uses: Uses) -> str:
    """Return a room's box with its text."""
    package, _, name = room.partition(".")
    what, num_files = described(room)
    shared = sorted(used.split(".")[1] for used in uses[room] if used.startswith(SHARED))
    lines = [(f"{name}  ({num_files})" if num_files > 1 else name, "name")]
    lines += [(line, "what") for line in textwrap.wrap(what, TEXT_WIDTH)]
    if package != SHARED and shared:
        text = f"common: {', '.join(shared)}"
        lines += [(line, "uses") for line in textwrap.wrap(text, TEXT_WIDTH + 3)]
    texts = "".join(
        f'<text class="{kind}" x="{box.x + 8}" y="{box.y + 17 + 13.5 * row}">{escape(line)}</text>'
        for row, (line, kind) in enumerate(lines)
    )
    return (
        f'<rect class="box" fill="{COLOURS[package]}" x="{box.x}" y="{box.y}" rx="5" '
        f'width="{WIDTH_PX}" height="{HEIGHT_PX}"/>{texts}\n'
    )


def arrow_svg(start: Box, end: Box) -> str:
    """Return an arrow from a box to one below."""
    x0, y0, x1, y1 = start.x + WIDTH_PX / 2, start.y + HEIGHT_PX, end.x + WIDTH_PX / 2, end.y
    bend = (y1 - y0) / 2
    path = f"M{x0} {y0}C{x0} {y0 + bend} {x1} {y1 - bend} {x1} {y1 - 2}"
    return f'<path class="arrow" d="{path}"/>\n'


def picture() -> str:
    """Return the whole picture as SVG."""
    uses, rooms = room_uses(), layers()
    half = 3 * (WIDTH_PX + GAP_PX) + GAP_PX
    lefts = {package: MARGIN_PX + place * half for place, package in enumerate(LINES)}
    lines_height = max(len(rooms[package]) for package in LINES) * ROW_PX
    top = MARGIN_PX + 34
    shared_top = top + lines_height + 34
    boxes: dict[str, Box] = {}
    for package in LINES:
        boxes |= placed(rooms[package], lefts[package], top, half)
    # A layer that is wider than the picture takes two rows.
    shared = [layer[at : at + 6] for layer in rooms[SHARED] for at in range(0, len(layer), 6)]
    boxes |= placed(shared, MARGIN_PX, shared_top, 2 * half)
    titles = {package: (lefts[package] + GAP_PX, MARGIN_PX + 16) for package in LINES}
    titles[SHARED] = (MARGIN_PX + GAP_PX, shared_top - 18)
    width = 2 * (half + MARGIN_PX)
    height = shared_top + len(shared) * ROW_PX
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">\n',
            f"<style>{STYLE}</style>\n",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#8794a8"/></marker>'
            f'</defs>\n<rect width="{width}" height="{height}" fill="white"/>\n',
            *(arrow_svg(boxes[start], boxes[end]) for start, end in drawn_arrows(uses)),
            *(box_svg(room, box, uses) for room, box in boxes.items()),
            *(
                f'<text class="package" x="{x}" y="{y}">{package}</text>\n'
                for package, (x, y) in titles.items()
            ),
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(picture())
