"""Runs of `kedro run` on small logs of other services and on genuine logs."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from pyspark.sql import SparkSession

from sparkify import cli
from sparkify.datasets import EventLogDataset
from sparkify.inspection import draft_settings
from sparkify.pipelines.data_processing.nodes import check_records
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "data" / "cases"
# By case that base settings cannot read: the error message, and settings that can read it.
OTHER_FIELDS = (
    "No record has a value of ts (key ts), userId (key userId), sessionId (key sessionId)"
)
SHOP = {
    "fields": {
        **{"ts": "timestamp", "userId": "user_id", "sessionId": "session_id", "page": "event"},
        **{"level": None, "itemInSession": None, "registration": None},
    }
}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "amplitude_export": (
        OTHER_FIELDS,
        {
            "fields": {
                **{"ts": "event_time", "userId": "user_id", "sessionId": "session_id"},
                **{"page": "event_type", "level": "user_properties.plan"},
                **{"itemInSession": "event_id", "registration": "user_creation_time"},
            }
        },
    ),
    "csv_shop": (OTHER_FIELDS, SHOP),
    "jsonl_shop_iso": (OTHER_FIELDS, SHOP),
    "levels_capitalised": (
        'Values found: "Premium" (60 records). Add them to data_processing.levels.',
        {"levels": {"paid": ["Premium"]}},
    ),
    "mixpanel_raw_export": (
        OTHER_FIELDS,
        {
            "fields": {
                **{"ts": "properties.time", "userId": "properties.distinct_id", "page": "event"},
                **{"sessionId": "properties.sid", "itemInSession": "properties.seq"},
                **{"level": "properties.plan", "registration": "properties.signup"},
            },
            "levels": {"paid": ["pro"]},
        },
    ),
    "segment_track": (
        "No record has a value of ts (key ts), sessionId (key sessionId), page (key page)",
        {
            "fields": {
                **{"ts": "timestamp", "sessionId": "context.sessionId", "page": "event"},
                **{"level": "properties.plan", "itemInSession": None, "registration": None},
            }
        },
    ),
    "spotify_history_array": (
        "No record has a value of userId (key userId), sessionId (key sessionId), page (key page)",
        {
            "fields": {
                **{"userId": "username", "page": None, "sessionId": None, "itemInSession": None},
                **{"level": None, "registration": None},
            },
            "constants": {"page": "NextSong"},
        },
    ),
}
# Daily sums: no settings can read them.
NO_EVENT_LOG = {"kkbox_user_logs": "Unused keys: date, msno, num_100, num_25"}
# By case that base settings or those above can read: accepted events and records without a user.
READ = {
    "amplitude_export": (25, 5),
    "array_on_one_line": (20, 0),
    "clean_log_no_rejections": (60, 0),
    "csv_shop": (80, 0),
    "iso_in_ts_and_registration": (60, 0),
    "iso_in_ts_only": (60, 0),
    "jsonl_shop_iso": (80, 0),
    "levels_capitalised": (60, 0),
    "mixpanel_raw_export": (40, 0),
    "numbers_in_quotes": (60, 0),
    "seconds_in_ts_and_registration": (60, 0),
    "segment_track": (30, 0),
    "spotify_history_array": (15, 0),
    "text_session_ids": (60, 0),
}
# All other logs have too few days for a first forecast: feature_engineering fails.
LONG_ENOUGH = {"mixpanel_raw_export"}
# Accepted events and records without a user; no other records are rejected.
GENUINE = {
    "events_5_users.json": (3_452, 0),
    "events_user_87.json": (1_003, 0),
    "events_user_113.json": (1_895, 0),
    "events_other_service_2018_11.json": (7_770, 286),
}


def run(project: Any, log: Path, pipelines: str, draft: dict[str, Any] | None = None) -> Result:
    """Run `kedro run --pipelines …` on a log, optionally with other settings."""
    change_settings(project.conf / "mini" / "globals.yml", {"raw_log": str(log)})
    if draft:
        change_settings(project.conf / "mini" / "parameters_of_case.yml", draft)
    options = ["run", "--conf-source", str(project.conf), "--pipelines", pipelines]
    return CliRunner().invoke(cli.cli, options)


def change_settings(file: Path, settings: dict[str, Any]) -> None:
    usual = yaml.safe_load(file.read_text()) if file.exists() else {}
    file.write_text(yaml.safe_dump({**usual, **settings}))


def find_case_log(name: str) -> Path:
    if not CASES.exists():
        pytest.skip("no folder of cases")
    (log,) = [path for path in (CASES / name).iterdir() if path.name != "README"]
    return log


def load_quality(project: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (project.folder / "data/02_intermediate/mini/data_quality.json").read_text()
    )
    return content


@pytest.mark.parametrize("name", [*REFUSED, *NO_EVENT_LOG])
def test_the_error_for_wrong_settings_is_one_paragraph(
    project: Any, interpreted: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(ROOT)
    result = run(project, find_case_log(name), "data_processing")
    words = NO_EVENT_LOG.get(name) or REFUSED[name][0]
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert words in result.stderr.splitlines()[-1]
    assert load_quality(project)["accepted"] == 0


@pytest.mark.parametrize("name", READ)
def test_a_log_is_read_up_to_feature_engineering(
    project: Any, interpreted: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(ROOT)
    _, settings = REFUSED.get(name, ("", {}))
    draft = {"data_processing": settings} if settings else None
    result = run(project, find_case_log(name), "data_processing,feature_engineering", draft)
    quality = load_quality(project)
    assert (quality["accepted"], quality["without_user"]) == READ[name]
    assert quality["rejected"] == quality["without_user"]
    assert (project.folder / "data/03_primary/mini/user_days/_manifest.json").exists()
    if name in LONG_ENOUGH:
        assert result.exit_code == 0
        assert (project.folder / "data/04_feature/mini/features/_SUCCESS").exists()
    else:
        assert "too short for 7 days of history" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", READ)
def test_the_draft_of_inspect_accepts_nearly_all_records(
    spark: SparkSession, parameters: dict[str, Any], name: str
) -> None:
    log = find_case_log(name)
    file_format, drafted = (yaml.safe_load(text) or {} for text in draft_settings(log).values())
    usual = parameters["data_processing"].model_dump()
    changed = {
        key: {**usual[key], **value} if isinstance(value, dict) else value
        for key, value in drafted.get("data_processing", {}).items()
    }
    settings = DataProcessingParameters.model_validate({**usual, **changed})
    raw = EventLogDataset(filepath=str(log), format=file_format["raw_format"]).load().read_all()
    rejections = check_records(raw, settings).groupBy("rejection").count().collect()
    counts = {row["rejection"]: row["count"] for row in rejections}
    assert counts[None] >= 0.95 * (sum(counts.values()) - counts.get("no user", 0))


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_log_is_read(
    project: Any, interpreted: None, real: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(ROOT)
    result = run(project, real / name, "data_processing")
    assert result.exit_code == 0
    quality = load_quality(project)
    assert (quality["accepted"], quality["rejected"]) == GENUINE[name]
    assert quality["without_user"] == quality["rejected"]


def test_every_case_is_tested() -> None:
    if not CASES.exists():
        pytest.skip("the cases are not here")
    names = {path.name for path in CASES.iterdir() if path.is_dir()}
    assert names == {*READ, *NO_EVENT_LOG}
