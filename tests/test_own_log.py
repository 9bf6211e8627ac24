"""docs/own_log.md: its video service, and the small simulated log as that service writes it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "own_log.md"
BLOCK = re.compile(r"^```yaml\n# (conf/video/\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def example() -> dict[str, dict[str, Any]]:
    """Return the example's settings, by the file that the page puts them into."""
    return {file: yaml.safe_load(text) for file, text in BLOCK.findall(PAGE.read_text())}


def settings(file: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "conf" / "base" / file).read_text())


def rename_keys() -> Callable[[int, str], str]:
    """Return a function that renames the nth line of the simulated log."""
    service = example()
    parameters = service["conf/video/parameters.yml"]
    engineering = parameters["feature_engineering"]
    usual = settings("parameters/feature_engineering.yml")["feature_engineering"]
    pages = {page: engineering["pages"].get(name, page) for name, page in usual["pages"].items()}
    pages[usual["cancellation_page"]] = engineering["cancellation_page"]
    fields, levels = (parameters["data_processing"][name] for name in ("fields", "levels"))

    def renamed(number: int, line: str) -> str:
        event = json.loads(line)
        event["page"] = pages.get(event["page"], event["page"])
        plans = levels[event["level"]]
        event["level"] = plans[number % len(plans)]
        return json.dumps({fields.get(key, key): value for key, value in event.items()})

    return renamed


@pytest.fixture(scope="module")
def video(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the catalog of the page's environment after a run on the renamed log."""
    project = type(finished)(tmp_path_factory.mktemp("video"))
    for file, values in example().items():
        if "environment" in values:
            values["data_root"] = str(project.folder / "data")
            project.log = project.folder / values["raw_log"]
            values["raw_log"] = str(project.log)
        (project.folder / file).parent.mkdir(exist_ok=True)
        (project.folder / file).write_text(yaml.safe_dump(values))
    lines = [row["value"] for row in finished.catalog().load("raw_events").collect()]
    renamed = rename_keys()
    project.log.parent.mkdir(parents=True)
    project.log.write_text("\n".join(renamed(number, line) for number, line in enumerate(lines)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEDRO_ENV", "video")
        project.run("data_processing", "feature_engineering", params=project.params)
        return project.catalog()


def rows(catalog: Any, name: str) -> pd.DataFrame:
    frame = catalog.load(name).toPandas()
    keys = [key for key in ("user_id", "day", "cutoff") if key in frame]
    return frame.sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("table", ["user_days", "snapshots", "features"])
def test_another_service_s_log_gives_the_same_tables(video: Any, finished: Any, table: str) -> None:
    ours, theirs = rows(finished.catalog(), table), rows(video, table)
    assert len(theirs) > 90
    pd.testing.assert_frame_equal(theirs, ours, check_exact=True)


def test_its_lines_are_checked_alike(video: Any, finished: Any) -> None:
    ours, theirs = (catalog.load("data_quality") for catalog in (finished.catalog(), video))
    assert theirs["source"] == "provided"
    for name in ("lines", "accepted", "rejected", "users", "first_event", "unknown_columns"):
        assert theirs[name] == ours[name]
    counts = [
        {why: found["lines"] for why, found in quality["rejections"].items()}
        for quality in (theirs, ours)
    ]
    assert counts[0] == counts[1]


def test_the_parameters_after_its_features_are_the_same(video: Any, finished: Any) -> None:
    ours, theirs = (catalog.load("params:modelling") for catalog in (finished.catalog(), video))
    assert theirs == ours
    inputs = video.load("params:inputs")
    assert inputs.segments.rates["thumbs_up_per_song"].of == "plays"
    rates = {"rates": {"__all__": {"words", "of"}}}
    wordless = {**rates, "segments": rates}
    before = finished.catalog().load("params:inputs")
    assert inputs.model_dump(exclude=wordless) == before.model_dump(exclude=wordless)
