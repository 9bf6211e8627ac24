"""A report as a page and as Markdown; both say the same."""

import re
from base64 import b64encode
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import Report

OPTIONS: dict[str, Any] = {
    "loader": PackageLoader("sparkify.pipelines.reporting", ""),
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
}
NOTHING = "\N{ZERO WIDTH SPACE}"  # after an @ there is no name then
MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#&])")


class _Markdown(str):
    """Text that is Markdown already."""


def as_html(report: Report) -> str:
    """Write one self-contained page: every text is escaped, and nothing in it is a script."""
    return _written("report.html.j2", report, Environment(autoescape=True, **OPTIONS))


def as_markdown(report: Report) -> str:
    """Write GitHub-flavoured Markdown: what the page says without its figures."""
    escaped_for_markdown = Environment(autoescape=False, finalize=_escaped, **OPTIONS)  # noqa: S701
    return _written("report.md.j2", report, escaped_for_markdown)


def _written(template: str, report: Report, environment: Environment) -> str:
    environment.filters |= {"share": words.share, "data_uri": _data_uri, "code": _code}
    return environment.get_template(template).render(report=report).strip() + "\n"


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _escaped(value: Any) -> Any:
    """Write a text so that Markdown shows it as it is, in one line, and mentions nobody."""
    if isinstance(value, _Markdown) or not isinstance(value, str):
        return value
    line = MARKDOWN.sub(r"\\\1", " ".join(value.splitlines()))
    return line.replace("@", f"@{NOTHING}")


def _code(text: str) -> _Markdown:
    """Write a name as code in a cell, whatever it holds: a mention or a tag stays a text there."""
    line = " ".join(text.splitlines()).replace("|", "\\|")
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return _Markdown(f"{fence}{space}{line}{space}{fence}")
