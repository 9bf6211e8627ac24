"""What Kedro-Viz shows, read from the API behind its page."""

import json
from typing import Any

import fsspec
import pytest
from kedro.framework.project import pipelines
from kedro_viz.api.rest.responses.save_responses import save_api_responses_to_fs
from kedro_viz.data_access import data_access_manager
from kedro_viz.server import populate_data


@pytest.fixture(scope="module")
def nodes(
    finished: Any, tmp_path_factory: pytest.TempPathFactory, layers: list[str]
) -> dict[str, dict[str, Any]]:
    """Return what the side panel shows, by name, of a project that has run."""
    folder = tmp_path_factory.mktemp("viz")
    populate_data(data_access_manager, finished.catalog(), dict(pipelines), {})
    save_api_responses_to_fs(str(folder), fsspec.filesystem("file"), is_all_previews_enabled=True)
    graph = json.loads((folder / "api" / "main").read_text())
    assert graph["layers"] == layers
    return {
        node["name"]: json.loads(path.read_text())
        for node in graph["nodes"]
        if (path := folder / "api" / "nodes" / node["id"]).exists()
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
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
def test_results_are_previewed(nodes: dict[str, dict[str, Any]], name: str, kind: str) -> None:
    assert nodes[name]["preview_type"] == kind
    assert nodes[name]["preview"]


def test_every_node_of_the_default_pipeline_shows_its_code(
    nodes: dict[str, dict[str, Any]],
) -> None:
    for node in pipelines["__default__"].nodes:
        assert nodes[node.name]["code"].startswith("def "), node.name
        assert '"""' in nodes[node.name]["code"], node.name


def test_viz_needs_no_spark(finished: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark.sql.SparkSession.builder", None)
    catalog = finished.catalog()
    for name in ("features", "churn_model"):
        assert catalog.get(name).preview()


def test_hidden_traits_reach_no_forecast() -> None:
    forecast = pipelines["__default__"].datasets()
    assert not {"simulated_users", "simulated_sessions"} & forecast
