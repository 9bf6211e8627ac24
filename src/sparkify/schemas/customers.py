"""Columns of customers that parameters name: by day, and at a cutoff."""

from collections.abc import Iterable, Mapping

from sparkify.schemas.table import HISTORY_SUMS, NUMBER, STATES, TABLES, Column


def user_day_columns(pages: Iterable[str], by_level: Iterable[str]) -> list[str]:
    """Name the columns of `user_days` for the pages that are counted, in any order."""
    return [*TABLES["user_days"].columns, *pages, *(f"free_{name}" for name in by_level)]


def feature_columns(
    pages: Mapping[str, str],
    by_level: Iterable[str],
    windowed: Iterable[str],
    windows_days: Iterable[int],
) -> tuple[Column, ...]:
    """Return the columns of `features` without its keys, in order, each with its meaning.

    `by_level` are columns of `pages` that are also counted per level, `windowed` columns that are
    also summed over windows before the cutoff, of `windows_days`.
    """
    pages_by_column = {name: f"Events on page {page}" for name, page in pages.items()}
    pages_by_column |= {
        f"{level}_{name}": f"Events on page {pages[name]} on the {level} level"
        for name in by_level
        for level in ("free", "paid")
    }
    sums = {c.name: c.meaning.removesuffix(", whole history.") for c in HISTORY_SUMS}
    meanings = pages_by_column | sums
    return (
        *(
            Column(name, NUMBER, f"{meanings[name]}, whole history.")
            for name in summed_columns(pages, by_level)
        ),
        *(
            Column(name, NUMBER, f"{meanings[column]}, last {days} days.")
            for name, (column, days) in window_columns(windowed, windows_days).items()
        ),
        *STATES,
    )


def summed_columns(pages: Iterable[str], by_level: Iterable[str]) -> list[str]:
    """Name the columns that features sum over the whole history before the cutoff."""
    levels = [f"{level}_{name}" for name in by_level for level in ("free", "paid")]
    return [*pages, *(column.name for column in HISTORY_SUMS), *levels]


def window_columns(
    windowed: Iterable[str], windows_days: Iterable[int]
) -> dict[str, tuple[str, int]]:
    """Return each column of a window before the cutoff: the column that it sums, and its days."""
    return {f"{name}_{days}d": (name, days) for name in windowed for days in windows_days}
