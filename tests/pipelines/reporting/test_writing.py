import re

import pytest

from sparkify.pipelines.reporting import writing
from sparkify.pipelines.reporting.blocks import (
    Column,
    KeyFigures,
    Listing,
    Notice,
    Picture,
    Pictures,
    Report,
    Section,
    Table,
    Text,
)

ATTACK = "<script>alert('1')</script> | `x` *y*\n@somebody"


@pytest.fixture(scope="module")
def report() -> Report:
    """Return a report that holds every kind of block, each with a text that wants to be more."""
    table = Table(
        f"Caption {ATTACK}",
        (
            Column("Place"),
            Column("Customer", "code"),
            Column("Share", "bar"),
            Column("Why", "text"),
        ),
        (("1", ATTACK, 0.25, ATTACK),),
        stacks=True,
    )
    folded = Table("Settings", (Column("Name", "code"), Column("Value")), (("a.b", "7"),), True)
    blocks = (
        Text(ATTACK),
        Notice(ATTACK, "alarm"),
        KeyFigures(((ATTACK, "customers"),)),
        Listing((("Log", ATTACK),)),
        table,
        folded,
        Pictures((Picture(b"PNG", f"Lift: {ATTACK}"), Picture(b"PNG", "Calibration: 2 %"))),
    )
    notices = (Notice("A simulated log."),)
    return Report("Leaving", ATTACK, notices, (Section("one", "First", blocks),))


def test_no_text_becomes_a_tag_or_an_attribute_of_the_page(report: Report) -> None:
    page = writing.as_html(report)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 10
    assert not re.search(r"""(alt|aria-label|data-column)="[^"]*[<>]""", page)


def test_the_page_needs_nothing_but_itself(report: Report) -> None:
    page = writing.as_html(report)
    assert set(re.findall(r"""(?:src|href)="([^":,]*)""", page)) == {"data", "#one"}
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_a_simulated_log_is_marked_before_all_else(report: Report) -> None:
    page, text = writing.as_html(report), writing.as_markdown(report)
    assert text.startswith("> [!WARNING]\n> A simulated log.\n")
    assert 0 < page.index("A simulated log.") < page.index("<h1>")


def test_no_text_becomes_markdown(report: Report) -> None:
    text = writing.as_markdown(report)
    told = r"\<script\>alert('1')\</script\> \| \`x\` \*y\* @" + f"{writing.NOTHING}somebody"
    assert f"\n{told}\n" in text
    (row,) = re.findall(r"^\| 1 .*$", text, re.MULTILINE)
    code = r"``<script>alert('1')</script> \| `x` *y* @somebody``"
    assert row == f"| 1 | {code} | 25\N{NO-BREAK SPACE}% | {told} |"


def test_markdown_tables_have_a_line_per_row_and_open_where_they_are_folded(
    report: Report,
) -> None:
    text = writing.as_markdown(report)
    folded = "<details><summary>Settings</summary>\n\n| Name | Value |\n|---|---:|\n| `a.b` | 7 |\n"
    assert f"{folded}\n</details>\n" in text
