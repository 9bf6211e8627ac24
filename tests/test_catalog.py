"""The catalog itself: complete, orderly, and the same for every environment."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogConfigResolver

ROOT = Path(__file__).parents[1]


def catalog_config(env: str | None) -> dict[str, Any]:
    bootstrap_project(ROOT)
    with KedroSession.create(project_path=ROOT, env=env, save_on_close=False) as session:
        config = session.load_context().config_loader["catalog"]
    return {name: entry for name, entry in config.items() if not name.startswith("_")}


def paths(entries: Iterable[dict[str, Any]]) -> list[str]:
    found = [entry.get("filepath") or entry.get("path") for entry in entries]
    return [path for path in found if path is not None]


@pytest.fixture(scope="module", params=["base", "mini", "full"])
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    return catalog_config(request.param)


def test_mini_is_the_default() -> None:
    assert catalog_config(None) == catalog_config("mini")


def test_every_path_is_in_the_folder_of_its_layer(
    config: dict[str, Any], layers: list[str]
) -> None:
    for name, entry in config.items():
        metadata = entry["metadata"]
        layer = metadata["kedro-viz"].get("layer") or metadata["layer"]
        assert layer in layers
        for path in paths([entry]):
            assert path.startswith(f"data/{layer}/"), name


def test_every_dataset_says_what_it_holds(config: dict[str, Any]) -> None:
    for name, entry in config.items():
        assert len(entry["metadata"]["kedro-viz"]["description"]) > 20, name


def test_no_two_datasets_share_a_path(config: dict[str, Any]) -> None:
    # What stood before a run is read from where the run saves what stands after it.
    found = paths(entry for name, entry in config.items() if name != "standing_model")
    assert len(found) == len(set(found))
    assert config["standing_model"]["filepath"] == config["churn_model"]["filepath"]


def test_on_a_cluster_the_data_root_alone_says_where_everything_is() -> None:
    root = yaml.safe_load((ROOT / "conf/cluster/globals.yml").read_text())["data_root"]
    on_cluster, mini = catalog_config("cluster"), catalog_config("mini")
    assert set(on_cluster) == set(mini)
    for path, in_mini in zip(paths(on_cluster.values()), paths(mini.values()), strict=True):
        layer = in_mini.split("/")[1]
        assert path.startswith(f"{root}/{layer}/")


def test_environments_share_no_path() -> None:
    mini, full = (paths(catalog_config(env).values()) for env in ("mini", "full"))
    assert not set(mini) & set(full)


def test_nothing_is_undeclared_and_nothing_unused(config: dict[str, Any]) -> None:
    bootstrap_project(ROOT)
    used = set().union(*(pipeline.datasets() for pipeline in pipelines.values()))
    named = {name for name in used if not name.startswith("params:") and name != "parameters"}
    resolver = CatalogConfigResolver(config)
    patterns = {name: resolver.match_dataset_pattern(name) for name in named - set(config)}
    assert {name for name, pattern in patterns.items() if pattern is None} == set()
    assert {*patterns.values()} | (named & set(config)) == set(config)


def test_every_table_is_checked_when_saved(config: dict[str, Any]) -> None:
    for name, entry in config.items():
        if entry["type"].endswith("ParquetTableDataset"):
            assert "save" in entry["validator"]["on"], name


def test_everything_on_disk_is_written_aside_and_renamed(config: dict[str, Any]) -> None:
    for name, entry in config.items():
        partition = entry.get("dataset", entry)
        assert partition["type"].startswith(("sparkify.datasets.", "MemoryDataset")), name


def test_models_and_metrics_are_versioned_and_tables_are_not(config: dict[str, Any]) -> None:
    versioned = {name for name, entry in config.items() if entry.get("versioned")}
    kept = {"churn_model", "champion", "metrics"}
    of_promotion = {"challenger_model", "standing_model", "promotion"}
    assert versioned == kept | of_promotion | {f"retrospective.{name}" for name in kept}
