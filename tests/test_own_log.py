"""The video service of docs/own_log.md, with a simulated log in its format."""

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


def read_example() -> dict[str, dict[str, Any]]:
    """Return the example's settings by file."""
    return {file: yaml.safe_load(text) for file, text in BLOCK.findall(PAGE.read_text())}


def load_settings(file: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "conf" / "base" / file).read_text())


def rename_keys() -> Callable[[int, str], str]:
    """Return a function that rewrites the nth line of the simulated log for the service."""
    service = read_example()
    parameters = service["conf/video/parameters.yml"]
    engineering = parameters["feature_engineering"]
    usual = load_settings("parameters/feature_engineering.yml")["feature_engineering"]
    pages = {page: engineering["pages"].get(name, page) for name, page in usual["pages"].items()}
    pages[usual["cancellation_page"]] = engineering["cancellation_page"]
    fields, levels = (parameters["data_processing"][name] for name in ("fields", "levels"))

    def rename_line(number: int, line: str) -> str:
        event = json.loads(line)
        event["page"] = pages.get(event["page"], event["page"])
        plans = levels[event["level"]]
        event["level"] = plans[number % len(plans)]
        return json.dumps({fields.get(key, key): value for key, value in event.items()})

    return rename_line


@pytest.fixture(scope="module")
def video(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the catalog of the example's environment after a run on the rewritten log."""
    project = type(finished)(tmp_path_factory.mktemp("video"))
    for file, values in read_example().items():
        if "environment" in values:
            values["data_root"] = str(project.folder / "data")
            project.log = project.folder / values["raw_log"]
            values["raw_log"] = str(project.log)
        (project.folder / file).parent.mkdir(exist_ok=True)
        (project.folder / file).write_text(yaml.safe_dump(values))
    lines = [row["value"] for row in finished.catalog().load("raw_events").read_all().collect()]
    rename_line = rename_keys()
    project.log.parent.mkdir(parents=True)
    project.log.write_text(
        "\n".join(rename_line(number, line) for number, line in enumerate(lines))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEDRO_ENV", "video")
        project.run("data_processing", "feature_engineering", params=project.params)
        return project.catalog()


def load_sorted(catalog: Any, name: str) -> pd.DataFrame:
    frame = catalog.load(name).toPandas()
    keys = [key for key in ("user_id", "day", "cutoff") if key in frame]
    return frame.sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("table", ["user_days", "snapshots", "features"])
def test_the_service_s_log_gives_the_same_tables(video: Any, finished: Any, table: str) -> None:
    expected, actual = load_sorted(finished.catalog(), table), load_sorted(video, table)
    assert len(actual) > 90
    pd.testing.assert_frame_equal(actual, expected, check_exact=True)


def test_the_service_s_log_has_the_same_data_quality(video: Any, finished: Any) -> None:
    expected, actual = (catalog.load("data_quality") for catalog in (finished.catalog(), video))
    assert actual["source"] == "provided"
    for name in ("lines", "accepted", "rejected", "users", "first_event", "unknown_columns"):
        assert actual[name] == expected[name]
    rejections = [
        {reason: counts["lines"] for reason, counts in quality["rejections"].items()}
        for quality in (actual, expected)
    ]
    assert rejections[0] == rejections[1]


def test_the_service_s_model_parameters_are_the_same(video: Any, finished: Any) -> None:
    expected, actual = (catalog.load("params:modelling") for catalog in (finished.catalog(), video))
    assert actual == expected
    inputs = video.load("params:inputs")
    assert inputs.segments.rates["thumbs_up_per_song"].unit == "plays"
    rates = {"rates": {"__all__": {"text", "unit", "more", "less"}}}
    texts = {**rates, "segments": rates}
    before = finished.catalog().load("params:inputs")
    assert inputs.model_dump(exclude=texts) == before.model_dump(exclude=texts)
