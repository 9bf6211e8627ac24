"""The report's template rendered as an HTML page and as Markdown."""

import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sparkify.pipelines.reporting.number_format import FILTERS

ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"  # after an @: GitHub then sees no mention
MARKDOWN_SYNTAX = re.compile(r"([\\`*_\[\]<>|~#&])")
DRAWN = ("bars", "curve")  # kinds of columns that are only in the page
LEFT_ALIGNED = ("text", "choice", "prose", "code", "name", "day", "days_ago", *DRAWN)
PNG_URI = "data:image/png;base64,"
Escape = Callable[[Any], Any]


def render_html(context: dict[str, Any]) -> str:
    """Return one self-contained page; every value is escaped.

    Its only script is DataTables, as bundled by itables, with report.js. The page's policy names
    the script's hash, so that no other one runs.
    """
    return _render("html.j2", context, finalize=None)


def render_markdown(context: dict[str, Any]) -> str:
    """Return GitHub-flavoured Markdown: the text of the page without its figures."""
    return _render("markdown.j2", context, finalize=_escape_markdown)


def _read_scripts() -> tuple[str, str]:
    """Return the page's script and the style of its tables."""
    bundle = files("itables") / "html"
    library, style = (
        (bundle / f"dt_bundle.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")
    )
    (name,) = re.findall(r"(\w+) as default\b", library)
    report = files("sparkify.pipelines.reporting") / "report.js"
    script = f"{library}\nconst DataTable = {name};\n{report.read_text(encoding='utf-8')}"
    # In HTML, a comment's start would change where the script ends.
    return _drop_blank_lines(script.replace("<!--", r"<\!--")), style


def _drop_blank_lines(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text)


def _render(elements: str, context: dict[str, Any], finalize: Escape | None) -> str:
    """Render report.j2 with the macros of `elements`."""
    text = (
        _create_environment(finalize).get_template("report.j2").render(context, elements=elements)
    )
    return _drop_blank_lines(text).strip() + "\n"


@cache
def _create_environment(finalize: Escape | None) -> Environment:
    """Return an environment that escapes every value.

    Autoescape marks the template's text and macros as `Markup`. All other strings are values: they
    are escaped for HTML, unless `finalize` has escaped them before.
    """
    environment = Environment(
        loader=PackageLoader("sparkify.pipelines.reporting", ""),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    script, style = _read_scripts()
    environment.globals |= {
        **{"left_aligned": LEFT_ALIGNED, "drawn": DRAWN},
        **{"script": Markup(script), "table_style": Markup(style)},  # noqa: S704 -- of packages
        "script_hash": b64encode(sha256(script.encode()).digest()).decode(),
    }
    environment.filters |= FILTERS | {
        "cell": lambda value, kind: environment.filters[kind](value),
        "code": _format_code,
        "data_uri": lambda png: PNG_URI + b64encode(png).decode(),
        "one_line": lambda text: type(text)(re.sub(r"[ \n]+", " ", text).strip(" ")),
        "without_blank_lines": lambda text: type(text)(re.sub(r"\n+", "\n", text).strip("\n")),
        **dict.fromkeys(("text", "choice", "prose", "figure"), str),
    }
    return environment


def _escape_markdown(value: Any) -> Any:
    """Escape a string: Markdown shows it literally, in one line and without mentions."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    line = MARKDOWN_SYNTAX.sub(r"\\\1", " ".join(value.splitlines()))
    return Markup(line.replace("@", f"@{ZERO_WIDTH_SPACE}"))  # noqa: S704 -- escaped above


def _format_code(value: object) -> Markup:
    """Format a value as a code span in a table cell; mentions and tags in it stay text."""
    line = " ".join(str(value).splitlines()).replace("|", "\\|")
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return Markup(f"{fence}{space}{line}{space}{fence}")  # noqa: S704 -- a code span has no syntax
