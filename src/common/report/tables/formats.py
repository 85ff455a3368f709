"""A table and the forms it is written in: plain text, Markdown, LaTeX."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

NUMERIC = frozenset({"#", "width", "seed", "n", "epochs"})


@dataclass(frozen=True)
class Table:
    """A table of texts; the columns named in `numeric` are aligned to the right."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[str] = NUMERIC

    @classmethod
    def of(
        cls,
        caption: str,
        lines: Sequence[Mapping[str, str]],
        numeric: frozenset[str] = NUMERIC,
        optional: Collection[str] = (),
    ) -> "Table":
        """Return a table of lines of the same columns, without optional ones that are empty."""
        columns = [
            name
            for name in (lines[0] if lines else ())
            if name not in optional or any(line[name] not in ("-", "") for line in lines)
        ]
        return cls(caption, columns, [[line[name] for name in columns] for line in lines], numeric)


def as_text(table: Table) -> str:
    """Return an aligned table for the screen."""
    lines = [list(table.columns), *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    aligned = (
        [
            cell.rjust(width) if name in table.numeric else cell.ljust(width)
            for name, cell, width in zip(table.columns, line, widths, strict=True)
        ]
        for line in lines
    )
    return "\n".join([table.caption, *("  ".join(cells).rstrip() for cells in aligned)]) + "\n"


def as_markdown(table: Table) -> str:
    """Return a table in GitHub's Markdown, under its caption."""
    rule = ["--:" if name in table.numeric else "---" for name in table.columns]
    cells = [[markdown_text(cell) for cell in line] for line in (table.columns, *table.rows)]
    lines = ["| " + " | ".join(line) + " |" for line in (cells[0], rule, *cells[1:])]
    return "\n".join([f"**{markdown_text(table.caption)}**", "", *lines]) + "\n"


def as_latex(table: Table, label: str | None = None) -> str:
    r"""Return a LaTeX table with a label to refer to it; it needs ``\usepackage{booktabs}``."""
    alignment = "".join("r" if name in table.numeric else "l" for name in table.columns)
    cells = [[_latex(cell) for cell in line] for line in (table.columns, *table.rows)]
    head, *rows = [_unbracketed(" & ".join(line)) + r" \\" for line in cells]
    caption = rf"\caption{{{_latex(table.caption)}}}"
    caption += "" if label is None else rf"\label{{{label}}}"
    opening = [r"\begin{table}", r"\centering", caption, rf"\begin{{tabular}}{{{alignment}}}"]
    body = [r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([*opening, *body, r"\end{tabular}", r"\end{table}"]) + "\n"


def markdown_text(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return text.translate(_MARKDOWN)


_MARKDOWN = str.maketrans({"|": r"\|", "_": r"\_", "*": r"\*", "<": "&lt;"})
_LATEX = str.maketrans(
    {
        **{char: "\\" + char for char in "&%$#_{}"},
        **{char: f"${char}$" for char in "<>|"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "*": "$^*$",
    }
)
_MINUS = re.compile(r"(?<![\w.)])-(?=\d)")


def _latex(text: str) -> str:
    """Return a text for LaTeX, with a minus before numbers."""
    return _MINUS.sub("$-$", text.translate(_LATEX).replace("+-", r"$\pm$"))


def _unbracketed(line: str) -> str:
    """Return a row that cannot be taken for an argument of the line break before it."""
    return "{[}" + line[1:] if line.startswith("[") else line
