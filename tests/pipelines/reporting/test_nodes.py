import html
import re
from pathlib import Path
from typing import Any

import pytest

from sparkify.pipelines.reporting import nodes

SECTIONS = [
    *("What the forecast says", "How good it is", "What drives it"),
    *("How it serves groups of customers", "What watches over it", "How it was made"),
    "What it must not be used for",
]
NUMBER = re.compile(r"-?\$?\d[\d,.:]*%?")


@pytest.fixture
def written(found: dict[str, Any], settings: dict[str, Any]) -> tuple[str, str]:
    """Return the page and the Markdown of a report on everything."""
    return nodes.report(**settings, **found)


def seen(page: str) -> str:
    """Return the text of a page."""
    body = re.sub(r"<(nav|style|title)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def test_the_sections_come_in_order(written: tuple[str, str]) -> None:
    page, text = written
    numbered = [f"{place}. {title}" for place, title in enumerate(SECTIONS, start=1)]
    assert re.findall(r"<h2[^>]*>(.*)</h2>", page) == numbered
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == numbered


def test_page_and_markdown_hold_the_same_figures(written: tuple[str, str]) -> None:
    page, text = (re.sub(r"[\\`]", "", told) for told in (seen(written[0]), written[1]))
    figures = [sorted(NUMBER.findall(told)) for told in (page, text)]
    assert figures[0] == figures[1]
    assert len(figures[0]) > 300


def test_a_user_id_that_is_a_script_stays_a_text(written: tuple[str, str]) -> None:
    page, text = written
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert text.count("<script") == text.count("`<script>alert(1)</script>`") == 1


def test_every_picture_says_what_it_shows(written: tuple[str, str]) -> None:
    pictures = re.findall(r'<img src="data:image/png;base64,\w[^"]*" alt="([^"]*)">', written[0])
    assert len(pictures) == written[0].count("<img") == 6
    assert [alt.split(":")[0] for alt in pictures] == [
        *("Calibration", "Lift", "Profit curve", "Candidates"),
        *("The weights of the inputs, the heaviest on top", "Drift"),
    ]
    assert all(re.search(r"\d", alt) for alt in pictures)


def test_a_report_on_a_simulated_log_begins_with_that(
    found: dict[str, Any], settings: dict[str, Any]
) -> None:
    found["metrics"] = found["metrics"] | {"source": "simulated"}
    found["simulation_record"] = {"seed": 455, "users": 225}
    page, text = nodes.report(**settings, **found)
    assert text.startswith("> [!WARNING]\n> Simulated log: nobody in this report exists.")
    assert "with seed 455, 225 users" in text
    assert page.index("Simulated log") < page.index("<h1>")


def test_only_what_the_default_run_makes_is_needed(
    found: dict[str, Any], settings: dict[str, Any]
) -> None:
    found |= {"monitoring_summary": {}, "leakage_audit": {}, "drift_figure": None}
    page, text = nodes.report(**settings, **found)
    assert page.count("<img") == 5
    assert "[!" not in text


@pytest.fixture(scope="module")
def axe() -> Any:
    """Return what checks a page's accessibility."""
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(
    written: tuple[str, str], tmp_path: Path, browser: Any, axe: Any, scheme: str
) -> None:
    (tmp_path / "report.html").write_text(written[0])
    page = browser.new_page(color_scheme=scheme)
    page.goto((tmp_path / "report.html").as_uri())
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_scrolls_in_one_direction_only(
    written: tuple[str, str], tmp_path: Path, browser: Any, width: int
) -> None:
    (tmp_path / "report.html").write_text(written[0])
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_the_default_run_ends_with_the_report_on_it(finished: Any) -> None:
    folder = finished.folder / "data/08_reporting/mini"
    assert (folder / "run_timings.png").stat().st_size > 10_000
    page, text = ((folder / f"report.{kind}").read_text() for kind in ("html", "md"))
    metrics = finished.catalog().load("metrics")
    assert page.count("<img") == 5
    assert f"| AUC | {nodes.words.measured(metrics['holdout']['auc'])} |" in text
    assert "Simulated log: nobody in this report exists." in text
