"""The catalog itself: complete, consistent, and the same for every environment."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import CatalogConfigResolver

ROOT = Path(__file__).parents[1]
OF_HOOKS = {
    *("run_timings", "run_timings_figure"),
    *("customers_to_forget", "forgotten_customers"),
}


def list_used_datasets() -> set[str]:
    """Return the datasets of all pipelines and hooks, without parameters."""
    used = OF_HOOKS.union(*(pipeline.datasets() for pipeline in pipelines.values()))
    return {name for name in used if not name.startswith("params:") and name != "parameters"}


def load_catalog_config(env: str | None) -> dict[str, Any]:
    """Return the settings of every dataset of an environment, those of patterns resolved."""
    used = list_used_datasets()
    with KedroSession.create(project_path=ROOT, env=env, save_on_close=False) as session:
        config = session.load_context().config_loader["catalog"]
    entries = {name: entry for name, entry in config.items() if "{" not in name}
    resolver = CatalogConfigResolver(config)
    return entries | {name: resolver.resolve_pattern(name) for name in used - set(entries)}


def list_paths(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Return the paths that entries write or read alone; a group's are those of other entries."""
    paths = []
    for entry in entries:
        paths += [entry[key] for key in ("filepath", "path") if key in entry]
        if entry["type"].endswith("SavedDatasetGroup"):
            paths += list_paths(entry["datasets"].values())
    return paths


def list_members(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the settings of the datasets that an entry loads with it, which others save."""
    if entry["type"].endswith("SavedDatasetGroup"):
        return []
    inside = [*entry.get("companions", {}).values(), *entry.get("datasets", {}).values()]
    return [member for one in inside for member in list_members(one) or [one]]


@pytest.fixture(scope="module", params=["base", "mini", "full"])
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load_catalog_config(request.param)


def test_mini_is_the_default() -> None:
    assert load_catalog_config(None) == load_catalog_config("mini")


def test_every_path_is_in_the_folder_of_its_layer(
    config: dict[str, Any], layers: list[str]
) -> None:
    for name, entry in config.items():
        metadata = entry["metadata"]
        layer = metadata["kedro-viz"].get("layer") or metadata["layer"]
        assert layer in layers
        for path in list_paths([entry]):
            assert path.startswith(f"data/{layer}/"), name


def test_every_dataset_says_what_it_holds(config: dict[str, Any]) -> None:
    for name, entry in config.items():
        assert len(entry["metadata"]["kedro-viz"]["description"]) > 20, name


def test_no_two_datasets_share_a_path(config: dict[str, Any]) -> None:
    # These read what the run before saved under another name.
    earlier = {
        "current_champion_model": "churn_model",
        "past_campaigns": "campaign_history",
    }
    locations = list_paths(entry for name, entry in config.items() if name not in earlier)
    assert len(locations) == len(set(locations))
    for name, saved in earlier.items():
        assert list_paths([config[name]]) == list_paths([config[saved]])


def test_members_of_a_group_have_the_paths_of_their_own_entries(config: dict[str, Any]) -> None:
    saved = {*list_paths(config.values())}
    for name, entry in config.items():
        for path in list_paths(list_members(entry)):
            # OptionalTableDataset has a path without the ending.
            assert {path.removesuffix("/_manifest.json"), f"{path}.csv"} & saved, (name, path)


def test_on_a_cluster_everything_is_below_the_data_root() -> None:
    root = yaml.safe_load((ROOT / "conf/cluster/globals.yml").read_text())["data_root"]
    on_cluster, mini = load_catalog_config("cluster"), load_catalog_config("mini")
    assert set(on_cluster) == set(mini)
    for path, in_mini in zip(
        list_paths(on_cluster.values()), list_paths(mini.values()), strict=True
    ):
        layer = in_mini.split("/")[1]
        assert path.startswith(f"{root}/{layer}/")


def test_environments_share_no_path() -> None:
    mini, full = (list_paths(load_catalog_config(env).values()) for env in ("mini", "full"))
    assert not set(mini) & set(full)


def test_every_dataset_is_declared_and_used(config: dict[str, Any]) -> None:
    assert list_used_datasets() == set(config)
    assert all(entry.get("type") for entry in config.values())


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("roc_figure", "data/08_reporting/mini/roc.png"),
        ("retrospective.roc_figure", "data/08_reporting/mini/retrospective/roc.png"),
    ],
)
def test_a_figure_has_the_path_of_its_name(name: str, path: str) -> None:
    assert load_catalog_config("mini")[name]["filepath"] == path


@pytest.mark.parametrize("env", ["mini", "full", "cluster"])
def test_an_environment_names_its_log_its_folders_and_its_size(env: str) -> None:
    settings = yaml.safe_load((ROOT / "conf" / env / "globals.yml").read_text())
    assert {"environment", "raw_log", "size"} <= set(settings)
    assert settings["environment"] == env


def test_every_table_is_checked_when_saved(config: dict[str, Any]) -> None:
    for name, entry in config.items():
        if entry["type"].endswith("ParquetTableDataset"):
            assert "save" in entry["validator"]["on"], name


def test_everything_on_disk_is_written_atomically(config: dict[str, Any]) -> None:
    for name, entry in config.items():
        partition = entry.get("dataset", entry)
        assert partition["type"].startswith(("sparkify.datasets.", "MemoryDataset")), name


def test_models_and_metrics_are_versioned_and_tables_are_not(config: dict[str, Any]) -> None:
    versioned = {name for name, entry in config.items() if entry.get("versioned")}
    kept = {"churn_model", "champion", "metrics"}
    of_promotion = {"challenger_model", "current_champion_model", "promotion"}
    assert versioned == kept | of_promotion | {f"retrospective.{name}" for name in kept}
