"""HTML built from elements, so that no text reaches a page unescaped; pictures beside it."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote
from xml.etree.ElementTree import Element, tostring

from common.files.atomic import partial_path
from common.report.kinds.model_test import ModelTest
from common.report.tables.formats import Table

_CSS = """
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 74rem; color: #222;
  background: #fff; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .2rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-top: .7rem; border-top: 1px solid #ddd; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; max-width: 46rem; }
.muted, .note, figcaption { color: #666; font-size: .9rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; text-align: left; white-space: nowrap;
  vertical-align: top; border-bottom: 1px solid #eee; }
td:last-child { white-space: normal; overflow-wrap: anywhere; min-width: 6rem; }
th { color: #555; font-weight: 600; border-bottom: 1px solid #999; white-space: normal;
  vertical-align: bottom; }
td.long { white-space: normal; min-width: 9rem; }
td.number:last-child { min-width: 0; white-space: nowrap; overflow-wrap: normal; }
.number { text-align: right; } tr.baseline td { color: #666; font-style: italic; }
.cards, .photos { display: grid; gap: .8rem; margin: 1.1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
.card { border: 1px solid #ddd; border-radius: 6px; padding: .7rem .9rem; }
.card strong { display: block; font-size: 1.5rem; line-height: 1.3; }
figure { margin: .8rem 0; } img { max-width: 100%; display: block; }
.chart img { width: 46rem; } .photos figure { margin: 0; } .photos img { max-height: 24rem; }
.finished { color: #276749; } .failed, .damaged, .refused { color: #b3261e; font-weight: 600; }
.interrupted, .running { color: #8a5a00; font-weight: 600; }
details { border-top: 1px solid #eee; padding: .5rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
pre { background: #f6f6f6; padding: .6rem .8rem; border-radius: 4px; font-size: .82rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
"""
_LONG = 18  # characters of a cell that may break into lines
_STATUSES = ("finished", "failed", "interrupted", "running", "damaged", "refused")


def node(tag: str, *children: Element | str, **attributes: str) -> Element:
    """Return an element; texts are escaped when it is written.

    Args:
        tag: its name.
        children: elements and texts in their order.
        attributes: ``class_`` stands for ``class``.
    """
    element = Element(tag, {name.rstrip("_"): value for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + child
        else:
            element.text = (element.text or "") + child
    return element


def page(title: str, *body: Element) -> str:
    """Return a whole page that needs nothing from elsewhere."""
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("title", title),
        node("style", _CSS),
    )
    html = node("html", head, node("body", *body), lang="en")
    return "<!doctype html>\n" + tostring(html, encoding="us-ascii", method="html").decode() + "\n"


def table_node(table: Table) -> Element:
    """Return a table that scrolls sideways on a narrow screen; its caption stands elsewhere."""
    head = node("tr", *(_cell("th", name, name, table) for name in table.columns))
    rows = [_row(row, table) for row in table.rows]
    return node("div", node("table", node("thead", head), node("tbody", *rows)), class_="wide")


def image_node(source: str, caption: str) -> Element:
    """Return an image, by its path relative to the page, with a caption; a click shows it whole."""
    image = node("img", src=quote(source), alt=caption, loading="lazy")
    return node("figure", node("a", image, href=quote(source)), node("figcaption", caption))


def copied_image(path: Path, stem: str, output_dir: Path) -> str:
    """Copy an image into the page's folder; return its path relative to the page."""
    source = f"images/{stem}{path.suffix}"
    with partial_path(output_dir / source) as partial:
        shutil.copyfile(path, partial)
    return source


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


def status_node(status: str) -> Element:
    """Return a run's status, coloured by what it means."""
    return node("span", status, **({"class_": status} if status in _STATUSES else {}))


def _row(row: Sequence[str], table: Table) -> Element:
    cells = [_cell("td", cell, name, table) for name, cell in zip(table.columns, row, strict=True)]
    return node("tr", *cells, **({} if row[0] else {"class_": "baseline"}))


def _cell(tag: str, text: str, column: str, table: Table) -> Element:
    content = status_node(text) if column == "status" and tag == "td" else typeset(text)
    classes = ["number"] * (column in table.numeric) + ["long"] * (len(text) > _LONG)
    return node(tag, content, **({"class_": " ".join(classes)} if classes else {}))


def typeset(text: str) -> str:
    """Return a text with the signs that plain text spells out."""
    return text.replace("+-", "\u00b1")
