import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparkify.pipelines.reporting.number_format import format_metric

Write = Callable[..., Any]
SECTIONS = [
    *("Forecast", "Forecast quality", "Limits", "What the forecast depends on"),
    *("Quality by customer group", "When customers leave and their value"),
    *("Monitoring", "Campaigns and losses", "Method"),
]
NUMBER = re.compile(r"-?\$?\d[\d,.:]*%?")


def visible_text(page: str) -> str:
    body = re.sub(r"<(nav|style|title)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def test_sections_are_numbered_in_order(write: Write) -> None:
    report = write()
    numbered = [f"{place}. {title}" for place, title in enumerate(SECTIONS, start=1)]
    assert re.findall(r"<h2[^>]*>(.*)</h2>", report.page) == numbered
    assert re.findall(r"^## (.*)$", report.markdown, re.MULTILINE) == numbered


def test_page_and_markdown_have_the_same_figures(write: Write) -> None:
    report = write()
    texts = visible_text(report.page), report.markdown
    page, text = (sorted(NUMBER.findall(re.sub(r"[\\`]", "", one))) for one in texts)
    assert page == text
    assert len(page) > 300


def test_a_user_id_with_a_script_stays_text(write: Write) -> None:
    report = write()
    assert "<script" not in report.page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report.page
    script = "<script>alert(1)</script>"
    assert report.markdown.count("<script") == report.markdown.count(f"`{script}`") == 1


def test_every_figure_has_a_text_with_its_numbers(write: Write) -> None:
    report = write()
    alts = report.alt_texts()
    assert len(alts) == report.page.count("<img") == 10
    assert [alt.split(":")[0] for alt in alts] == [
        *("Calibration", "Lift", "Profit curve", "Candidates"),
        *("Weights of the inputs, the strongest first", "When customers leave"),
        *("Curves of leaving", "Drift", "Campaigns", "Losses"),
    ]
    assert all(re.search(r"\d", alt) for alt in alts)


def test_the_datasets_of_the_default_run_are_enough(write: Write) -> None:
    missing = {"drift_figure": None, "campaigns_figure": None, "movements_figure": None}
    missing |= {"curve_evaluation_figure": None}
    not_run = ("monitoring_summary", "leakage_audit", "campaign_summary", "curve_evaluation")
    report = write(**{name: {} for name in not_run}, **missing)
    assert report.page.count("<img") == 6
    assert "[!" not in report.markdown


def test_parameters_of_other_pipelines_are_not_shown(write: Write) -> None:
    rows = write().table("Parameters of the run that wrote this report")
    assert rows == [["Parameter", "Value"], ["`modelling`", "`seed: 7`"]]


@pytest.fixture(scope="module")
def axe() -> Any:
    """Return a checker of a page's accessibility."""
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(
    write: Write, tmp_path: Path, browser: Any, axe: Any, scheme: str
) -> None:
    (tmp_path / "report.html").write_text(write().page)
    page = browser.new_page(color_scheme=scheme)
    page.goto((tmp_path / "report.html").as_uri())
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    result = axe.run(page)
    assert result.violations_count == 0, result.generate_report()
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_scrolls_in_one_direction_only(
    write: Write, tmp_path: Path, browser: Any, width: int
) -> None:
    (tmp_path / "report.html").write_text(write().page)
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_the_default_run_ends_with_its_report(finished: Any) -> None:
    folder = finished.folder / "data/08_reporting/mini"
    page, text = ((folder / f"report.{kind}").read_text() for kind in ("html", "md"))
    metrics = finished.catalog().load("metrics")
    assert page.count("<img") == 5
    assert f"| AUC | {format_metric(metrics['holdout']['auc'])} |" in text
    assert "Simulated log: the customers in this report do not exist." in text
