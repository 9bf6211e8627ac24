"""Small logs of other services and genuine ones, by the command that users type."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project

from sparkify import cli

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "data" / "cases"
CSV = "The log is CSV. Convert it to one JSON object per line"
# What the run says of each case.
REFUSED = {
    "amplitude_export": "essential columns ts, userId, sessionId, page, level, itemInSession",
    "array_on_one_line": "The log is a JSON array on one line. Write one object per line: jq -c",
    "csv_shop": CSV,
    "iso_in_ts_and_registration": "has a value in the essential column registration",
    "iso_in_ts_only": "60 of 60 lines rejected (60 wrong type of ts)",
    "jsonl_shop_iso": "essential columns ts, userId, sessionId, page, level, itemInSession",
    "kkbox_user_logs": CSV,
    "levels_capitalised": 'Values found: "Premium" (60 lines). Add them to data_processing.levels.',
    "mixpanel_raw_export": "essential columns ts, userId, sessionId, page, level, itemInSession",
    "numbers_in_quotes": "essential columns sessionId, itemInSession, registration",
    "seconds_in_ts_and_registration": "has a value in the essential column registration",
    "segment_track": "essential columns ts, sessionId, page, level, itemInSession, registration",
    "spotify_history_array": "The log is a JSON array over several lines. Write one object per",
    "text_session_ids": "(60 wrong type of sessionId). data_processing.max_rejected_share",
}
# Events accepted and lines without a user; nothing else is rejected.
GENUINE = {
    "events_5_users.json": (3_452, 0),
    "events_user_87.json": (1_003, 0),
    "events_user_113.json": (1_895, 0),
    "events_other_service_2018_11.json": (7_770, 286),
}


def run(project: Any, log: Path) -> Result:
    """Run `kedro run --pipelines data_processing` on a log."""
    settings = project.conf / "mini" / "globals.yml"
    moved = {**yaml.safe_load(settings.read_text()), "raw_log": str(log)}
    settings.write_text(yaml.safe_dump(moved))
    bootstrap_project(ROOT)
    options = ["run", "--conf-source", str(project.conf), "--pipelines", "data_processing"]
    return CliRunner().invoke(cli.cli, options)


def case_log(name: str) -> Path:
    if not CASES.exists():
        pytest.skip("the cases are not here")
    (log,) = [path for path in (CASES / name).iterdir() if path.name != "README"]
    return log


def quality(project: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (project.folder / "data/02_intermediate/mini/data_quality.json").read_text()
    )
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_a_log_that_cannot_be_read_is_refused_in_one_sentence(
    project: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(ROOT)
    result = run(project, case_log(name))
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert REFUSED[name] in result.stderr.splitlines()[-1]
    assert quality(project)["accepted"] == 0


def test_a_clean_log_ends_well(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = run(project, case_log("clean_log_no_rejections"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert (quality(project)["accepted"], quality(project)["rejected"]) == (60, 0)


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_log_ends_well(
    project: Any, real: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(ROOT)
    result = run(project, real / name)
    assert result.exit_code == 0
    found = quality(project)
    assert (found["accepted"], found["rejected"]) == GENUINE[name]
    assert found["without_user"] == found["rejected"]


def test_every_case_is_tried() -> None:
    if not CASES.exists():
        pytest.skip("the cases are not here")
    names = {path.name for path in CASES.iterdir() if path.is_dir()}
    assert names == {*REFUSED, "clean_log_no_rejections"}
