import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from sparkify.pipelines.reporting.number_format import UNKNOWN
from sparkify.pipelines.reporting.rendering import ZERO_WIDTH_SPACE

ATTACK = "<script>alert('1')</script> | `x` *y*\n@somebody"


@pytest.fixture
def report(write: Callable[..., Any], datasets: dict[str, Any]) -> Any:
    """Return a report with an attack in every kind of element."""
    metrics, quality = datasets["metrics"], datasets["data_quality"]
    champion = metrics["champion"] | {"label": ATTACK, "packages": {ATTACK: ATTACK}}
    candidates = [one | {"candidate": ATTACK} for one in metrics["candidates"]]
    return write(
        contacts=datasets["contacts"].assign(user_id=ATTACK, reason_for_1=ATTACK),
        data_quality=quality | {"unknown_columns": [ATTACK], "rejections": {ATTACK: {"lines": 1}}},
        group_metrics=datasets["group_metrics"].assign(value=ATTACK),
        leakage_audit=datasets["leakage_audit"] | {"warnings": [ATTACK]},
        metrics=metrics | {"champion": champion, "candidates": candidates},
        parameters={"modelling": {ATTACK: ATTACK}},
        promotion={"replaced": True, "reason": ATTACK},
    )


def test_values_do_not_become_tags_or_attributes_of_the_page(report: Any) -> None:
    page = re.sub(r'<script type="module">.*?</script>', "", report.page, flags=re.DOTALL)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 25
    assert not re.search(r"""(alt|aria-label|data-column)="[^"]*[<>]""", page)


def test_the_page_needs_no_other_file(report: Any) -> None:
    page, (script,) = (
        re.sub(r"(?s)<script.*?</script>", "", report.page),
        re.findall(r'(?s)<script type="module">(.*?)</script>', report.page),
    )
    sections = ("forecast", "quality", "reasons", "leaving", "campaigns", "limits", "metrics")
    scores = ("contacts", "churn_scores", "control_group", "segments", "feature_weights")
    results = ("contact_profit", "campaign_effects", "customer_movements", "retention")
    assert set(re.findall(r"""(?:src|href)="([^":,]*)""", page)) == {
        *("data", "run_timings.csv", "run_timings.png", "group_metrics.csv"),
        *(f"../../07_model_output/mini/{name}.csv" for name in scores),
        *(f"{name}.csv" for name in results),
        *(f"#{name}" for name in (*sections, "drivers", "groups", "monitoring", "method")),
    }
    assert not re.search(r"url\((?!data:)", page)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    styles = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert f"{styles}; script-src 'sha256-{digest}'" in page


def test_values_do_not_become_markdown(report: Any) -> None:
    escaped = r"\<script\>alert('1')\</script\> \| \`x\` \*y\* @" + f"{ZERO_WIDTH_SPACE}somebody"
    assert f"\n> {escaped}\n" in report.markdown
    assert f"\n- **Unused columns of the log** {escaped}\n" in report.markdown
    (row,) = re.findall(r"^\| 2 \| `.*$", report.markdown, re.MULTILINE)
    code = r"``<script>alert('1')</script> \| `x` *y* @somebody``"
    assert row.startswith(f"| 2 | {code} | 40\N{NO-BREAK SPACE}% | free | 12 days ago | $2.58 | ")
    assert row.endswith(f"| {escaped} | {UNKNOWN} |")
    outside_code = re.sub(r"``.*?``", "", report.markdown)
    assert not re.search(r"(?<!\\)<script", outside_code)
    assert "@somebody" not in outside_code


def test_folded_tables_open_in_markdown_and_have_a_line_per_row(
    write: Callable[..., Any],
) -> None:
    text = write().markdown
    folded = (
        "<details><summary>Parameters of the run that wrote this report</summary>\n\n"
        "| Parameter | Value |\n|---|---|\n| `modelling` | `seed: 7` |\n"
    )
    assert f"{folded}\n</details>\n" in text
