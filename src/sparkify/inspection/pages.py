"""Match a log's pages to the project's page columns, and find its cancellation page."""

import re
from collections import Counter
from collections.abc import Iterable

from sparkify.inspection.patterns import NAMES, compile_pattern, matches

# Each page column's page in conf/base, and the pattern of pages at other services.
COLUMNS = {
    column: (page, compile_pattern(alternatives))
    for column, (page, *alternatives) in NAMES["columns"].items()
}


def split_words(page: str) -> str:
    """Return a page's name in lower case with blanks between its words."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", page)
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def rank_cancellations(pages: Iterable[str]) -> list[str]:
    """Return the pages that look like a cancellation, completed ones first."""
    words = {page: split_words(page) for page in pages}
    fitting = [
        page
        for page, text in words.items()
        if matches(text, "cancellation") and not matches(text, "not_a_cancellation")
    ]
    return sorted(
        fitting,
        key=lambda page: ("confirm" not in words[page], not matches(words[page], "completed")),
    )


def match_columns(pages: Counter[str], cancellations: Iterable[str]) -> dict[str, str]:
    """Return the log's page for each page column, if any; `cancellations` are left out."""
    unmatched = [page for page, _ in pages.most_common() if page not in {*cancellations}]
    columns: dict[str, str] = {}
    for column, (page, _) in {**COLUMNS, "next_song": ("NextSong", "")}.items():
        if page in unmatched:
            columns[column] = page
            unmatched.remove(page)
    for column, (_, pattern) in COLUMNS.items():
        fitting = [page for page in unmatched if pattern.fullmatch(split_words(page))]
        if column not in columns and fitting:
            columns[column] = fitting[0]
            unmatched.remove(fitting[0])
    if "next_song" not in columns:
        contents = [page for page in unmatched if is_content(page)]
        other_pages = [page for page in unmatched if not matches(split_words(page), "not_content")]
        for page in [*contents, *other_pages, *unmatched][:1]:
            columns["next_song"] = page
    return columns


def is_content(page: str) -> bool:
    """Return whether a page's name means that content starts."""
    return matches(split_words(page), "content")


def name_column(page: str, used: Iterable[str]) -> str:
    """Return an unused column name for a page."""
    name = "_".join(re.findall(r"[a-z0-9]+", split_words(page)))[:60]
    if not name or not name[0].isalpha() or matches(name, "reserved"):
        name = f"page_{name}".rstrip("_")
    used_names, number = {*used}, 2
    while name in used_names or matches(name, "reserved"):
        name, number = f"{name.rstrip('0123456789_')}_{number}", number + 1
    return name
