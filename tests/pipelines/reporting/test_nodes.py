import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.reporting.number_format import format_metric

Write = Callable[..., Any]
SECTIONS = [
    *("Forecast", "Forecast quality", "Reasons and segments"),
    *("When customers leave and their value", "Campaigns and losses"),
    *("Must not be used for", "Metrics in detail", "What the forecast depends on"),
    *("Quality by customer group", "Monitoring", "How it was made"),
]
NUMBER = re.compile(r"-?\$?\d[\d,.:]*%?")


def without_library(page: str) -> str:
    """Return the page without the text of its script."""
    return re.sub(r'(<script type="module">).*?(</script>)', r"\1\2", page, flags=re.DOTALL)


def visible_text(page: str) -> str:
    drawn = r'<t[hd][^>]*class="(?:bars|curve)".*?</t[hd]>'
    body = re.sub(rf"<(nav|style|title|script|form)\b.*?</\1>|{drawn}", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def test_sections_are_numbered_in_order(write: Write) -> None:
    report = write()
    numbered = [f"{place}. {title}" for place, title in enumerate(SECTIONS, start=1)]
    assert re.findall(r"<h2[^>]*>(.*)</h2>", without_library(report.page)) == numbered
    assert re.findall(r"^## (.*)$", report.markdown, re.MULTILINE) == numbered


def test_page_and_markdown_have_the_same_figures(write: Write) -> None:
    report = write()
    texts = visible_text(report.page), re.sub(r"\]\(.*?\)", "]", report.markdown)
    page, text = (sorted(NUMBER.findall(re.sub(r"[\\`]", "", one))) for one in texts)
    assert page == text
    assert len(page) > 300


def test_a_user_id_with_a_script_stays_text(write: Write) -> None:
    report = write()
    assert re.findall(r"<script[^>]*>", without_library(report.page)) == ['<script type="module">']
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report.page
    script = "<script>alert(1)</script>"
    assert report.markdown.count("<script") == report.markdown.count(f"`{script}`") == 1


def test_every_figure_has_a_text_with_its_numbers(write: Write) -> None:
    report = write()
    alts = report.alt_texts()
    assert len(alts) == report.page.count("<img") == 10
    assert [alt.split(":")[0] for alt in alts] == [
        *("Calibration", "Lift", "Profit curve", "When customers leave", "Curves of leaving"),
        *("Campaigns", "Losses"),
        *("Weights of the inputs, the strongest first", "Drift", "Candidates"),
    ]
    assert all(re.search(r"\d", alt) for alt in alts)


def test_the_datasets_of_the_default_run_are_enough(write: Write) -> None:
    missing: dict[str, Any] = {
        "drift_figure": None,
        "campaigns_figure": None,
        "movements_figure": None,
        "curve_evaluation_figure": None,
    }
    missing |= {"customer_movements": None, "retention": None}
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


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_the_page_scrolls_in_one_direction_only_and_clips_no_table(
    write: Write, tmp_path: Path, browser: Any, width: int
) -> None:
    (tmp_path / "report.html").write_text(write().page)
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    wide = (
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel)"
    )
    assert page.eval_on_selector_all(".table .scroll", wide) == []
    page.close()


def test_contacts_can_be_searched_and_sliders_choose_the_list(
    write: Write, datasets: dict[str, Any], tmp_path: Path, browser: Any
) -> None:
    longer = pd.concat([datasets["contacts"]] * 20)
    (tmp_path / "report.html").write_text(write(contacts=longer).page)
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    rows = page.locator("table[data-shown] tbody tr")
    assert rows.count() == 15
    page.get_by_label("Search:").fill("3.4 songs")
    assert page.locator(".dt-info").first.inner_text().startswith("1 to 15 of 20 rows")
    status = page.locator("form.sliders [role=status]")
    assert status.inner_text().startswith("Contact the 0 of 19,876 customers")
    move = "slider => { slider.value = 200; slider.form.dispatchEvent(new Event('input')) }"
    page.locator("input[name=value]").evaluate(move)
    assert "Contact the 2,310 of 19,876" in status.inner_text()
    assert "gain would have been $5,570 after $2,310 of cost" in status.inner_text()
    page.close()


def test_without_javascript_the_whole_list_is_there(
    write: Write, tmp_path: Path, browser: Any
) -> None:
    (tmp_path / "report.html").write_text(write().page)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("table[data-shown] tbody tr").count() == 2
    assert page.locator("form.sliders").is_hidden()
    context.close()


def test_the_default_run_ends_with_its_report(finished: Any) -> None:
    folder = finished.folder / "data/08_reporting/mini"
    page, text = ((folder / f"report.{kind}").read_text() for kind in ("html", "md"))
    metrics = finished.catalog().load("metrics")
    assert page.count("<img") == 6
    assert f"| AUC | {format_metric(metrics['holdout']['auc'])} |" in text
    assert "Simulated log: these customers do not exist" in text
