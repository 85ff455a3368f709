"""Pages of HTML: one look, in light and in dark, and nothing from elsewhere."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=PackageLoader("common"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.policies["json.dumps_kwargs"] = {"separators": (",", ":")}


def page_text(template: str, **content: Any) -> str:
    """Return a page, its styles and scripts inside.

    Args:
        template: a file's name in ``templates/``.
        **content: what the template names; all text is escaped.
    """
    return _TEMPLATES.get_template(template).render(**content)
