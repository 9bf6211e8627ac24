"""What Kedro-Viz shows: its API responses, and its page."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.project import pipelines

from docs.lineage_site import build_site
from docs.picture import open_site, serve_folder

ROOT = Path(__file__).parents[1]
Answers = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def site(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the static site of a project that has run."""
    folder = tmp_path_factory.mktemp("site") / "site"
    build_site(finished.folder, folder, "mini")
    return folder


@pytest.fixture(scope="session")
def graph(site: Path) -> dict[str, Any]:
    """Return the graph of the default pipeline."""
    answer: dict[str, Any] = json.loads((site / "api" / "main").read_text())
    return answer


@pytest.fixture(scope="session")
def nodes(site: Path, graph: dict[str, Any]) -> Answers:
    """Return the content of the side panel, by name of the node or dataset."""
    return {
        node.get("full_name", node["name"]): json.loads(path.read_text())
        for node in graph["nodes"]
        if (path := site / "api" / "nodes" / node["id"]).exists()
    }


@pytest.fixture(scope="session")
def run_status(site: Path) -> dict[str, Any]:
    """Return the status of the last run."""
    answer: dict[str, Any] = json.loads((site / "api" / "run-status").read_text())
    return answer


def test_layers_are_in_the_order_of_the_data_flow(graph: dict[str, Any], layers: list[str]) -> None:
    assert graph["layers"] == layers


def test_the_layers_of_every_pipeline_have_an_order(site: Path) -> None:
    for answer in (site / "api" / "pipelines").iterdir():
        assert json.loads(answer.read_text())["layers"], (
            answer.name
        )  # empty if the layers form a cycle


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("raw_events", "JSONPreview"),
        ("report", "JSONPreview"),
        ("features", "TablePreview"),
        ("checked_events", "TablePreview"),
        ("cv_results", "TablePreview"),
        ("churn_model", "JSONPreview"),
        ("metrics", "JSONPreview"),
        ("data_quality", "JSONPreview"),
        ("lift_figure", "ImagePreview"),
        ("precision_recall_figure", "ImagePreview"),
    ],
)
def test_results_are_previewed(nodes: Answers, name: str, kind: str) -> None:
    assert nodes[name]["preview_type"] == kind
    assert nodes[name]["preview"]


def test_every_node_of_the_default_pipeline_shows_its_code(nodes: Answers) -> None:
    for node in pipelines["__default__"].nodes:
        assert nodes[node.name]["code"].startswith("def "), node.name
        assert '"""' in nodes[node.name]["code"], node.name


def test_tables_are_shown_with_their_rows(finished: Any, nodes: Answers) -> None:
    quality = finished.catalog().load("data_quality")
    assert nodes["checked_events"]["stats"]["rows"] == quality["lines"]
    assert nodes["cv_results"]["stats"]["rows"] == 2


def test_nodes_are_shown_with_the_seconds_of_the_last_run(
    finished: Any, graph: dict[str, Any], run_status: dict[str, Any]
) -> None:
    names = {node["id"]: node["full_name"] for node in graph["nodes"] if node["type"] == "task"}
    durations = {names[node_id]: node["duration"] for node_id, node in run_status["nodes"].items()}
    timings = finished.catalog().load("run_timings").set_index("node")["seconds"]
    assert durations == timings.to_dict()


def test_every_pipeline_is_one_box(graph: dict[str, Any]) -> None:
    first_view = graph["modular_pipelines"]["__root__"]["children"]
    assert "task" not in {child["type"] for child in first_view}


def test_previews_need_no_spark(finished: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark.sql.SparkSession.builder", None)
    catalog = finished.catalog()
    for name in ("features", "churn_model"):
        assert catalog.get(name).preview()


def test_coloured_datasets_exist() -> None:
    styles = json.loads((ROOT / ".viz" / "styles.json").read_text())
    existing = set().union(*(pipeline.datasets() for pipeline in pipelines.values()))
    assert set(styles) <= existing


@pytest.fixture(scope="module")
def page(site: Path, browser: Any) -> Iterator[Any]:
    """Open the site in a browser."""
    with serve_folder(site) as address:
        yield open_site(browser, address, 1440, 900)


def test_the_page_is_complete_without_any_other_host(page: Any, site: Path) -> None:
    messages, requests = [], []
    page.on("console", lambda message: messages.append((message.type, message.text)))
    page.on("pageerror", lambda error: messages.append(("error", str(error))))
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    page.wait_for_selector(".pipeline-node")
    page.wait_for_load_state("networkidle")
    assert [one for one in messages if one[0] == "error"] == []
    here = page.url.partition("?")[0]
    assert requests
    assert [one for one in requests if not one.startswith((here, "data:", "blob:"))] == []


def test_the_view_of_the_last_run_can_be_reloaded(site: Path, browser: Any) -> None:
    with serve_folder(site) as address:
        page = open_site(browser, f"{address}workflow", 1440, 900)
        assert "write_report" in " ".join(page.locator(".pipeline-node").all_text_contents())


def test_the_layers_are_drawn_from_the_log_to_the_report(page: Any, layers: list[str]) -> None:
    names = page.locator(".pipeline-layer-name").all_text_contents()
    assert names == [layer for layer in layers if layer in names]
    assert (names[0], names[-1]) == ("01_raw", "08_reporting")


def open_panel(page: Any, name: str) -> Any:
    """Search for a name, click the row that is found, and return its side panel."""
    page.fill("[placeholder='Search']", name)
    page.locator(f"[data-test='node-list-tree-item--row--<b>{name}</b>']").click()
    panel = page.locator(".pipeline-metadata--visible")
    panel.get_by_role("heading", name=name).wait_for()
    return panel


def test_search_finds_the_features_and_shows_their_first_rows(page: Any) -> None:
    panel = open_panel(page, "features")
    panel.locator(".preview-table").wait_for()
    assert "user_id" in panel.locator(".preview-table__header").all_text_contents()


def test_a_node_shows_its_code(page: Any) -> None:
    panel = open_panel(page, "fit_challenger")
    panel.locator("[data-test^='metadata-code-toggle']").click(force=True)
    code = page.locator(".pipeline-metadata-code--visible")
    code.wait_for()
    assert "def fit_challenger(" in code.text_content()


def test_a_figure_shows_its_picture(page: Any) -> None:
    picture = open_panel(page, "lift_figure").locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 300
