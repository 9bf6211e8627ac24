from collections.abc import Callable
from typing import Any

import pytest

from sparkify.pipelines.data_processing.parameters import DataProcessingParameters


@pytest.mark.parametrize(
    ("name", "value", "rest"),
    [
        ("fields.userid", "id", " is not a parameter; did you mean data_processing.fields.userId?"),
        ("fields.ts", "", ' is ""; allowed: a key of the log, or null if it has none.'),
        ("fields.ts", None, " is null; allowed: a key."),
        ("fields.page", None, " is null; allowed: a key, a constant or page_from."),
        ("fields", {"ts": "at"}, ' is {"ts": "at"}; allowed: a key or null for ts, userId'),
        ("constants", {"userId": "30"}, ".userId is not an allowed name; allowed: 'page', "),
        ("page_from", "path", ' is "path"; allowed: key, folder, file.'),
        ("time_format", "seconds", ' is "seconds"; allowed: auto, s, ms, us, ns, iso8601.'),
        ("time_zone", "Berlin", ' is "Berlin"; allowed: a name of the IANA database, such as UTC.'),
        ("time_zone", "../etc", ' is "../etc"; allowed: a name of the IANA database, such as UTC.'),
        ("session_gap_minutes", 0, " is 0; allowed: an integer above 0."),
        ("sources", [{"files": "a/*", "fields": {"tz": "x"}}], "[0].fields.tz is not a parameter"),
        ("sources", [{"fields": {}}], "[0].files is missing; allowed: text."),
        (
            "sources",
            [{"files": "a/*", "fields": {"page": None}}],
            "[0].fields.page is null; allowed",
        ),
        ("plan_pages", {"paid": ["Up"], "free": ["Up"]}, ' is {"paid": ["Up"], "free": ["Up"]}; '),
        ("levels.gold", ["Gold"], " is not an allowed name; allowed: 'free' or 'paid'."),
        ("levels", {"free": ["A"], "paid": ["A"]}, ' is {"free": ["A"], "paid": ["A"]}; allowed: '),
        ("levels", {"free": [], "paid": []}, ' is {"free": [], "paid": []}; allowed: at least one'),
        ("latest_event", "2200-01-01", ' is "2200-01-01"; allowed: a date such as 2018-11-15 of'),
    ],
)
def test_an_invalid_value_gives_a_clear_error(
    refusals: Callable[..., list[str]], name: str, value: Any, rest: str
) -> None:
    (message,) = refusals(f"data_processing.{name}", value)
    assert message.startswith(f"data_processing.{name}{rest}")


@pytest.mark.parametrize(
    "days",
    [
        {"earliest_event": "2020-01-01", "latest_event": "2019-01-01"},
        {"earliest_event": "1960-01-01"},
        {"earliest_event": "1970-02-01"},
        {"latest_event": "2200-01-01"},
    ],
)
def test_a_span_of_days_with_ambiguous_time_units_is_an_error(
    changed: Callable[..., DataProcessingParameters], days: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"earliest_event|latest_event"):
        changed(**days)


def test_without_sources_all_files_have_one_shape(checks: DataProcessingParameters) -> None:
    (shape,) = checks.shapes
    assert shape.files is None
    assert shape.paths["userId"] == ("userId",)
    assert not checks.needs_files


def test_a_source_overrides_its_settings(changed: Callable[..., DataProcessingParameters]) -> None:
    parameters = changed(
        {"gender": None},
        constants={"level": "free"},
        sources=[
            {"files": "listens/*", "fields": {"page": None}, "constants": {"page": "NextSong"}},
            {"files": "*", "fields": {"ts": "at.ms"}, "page_from": "folder"},
        ],
    )
    listens, others = parameters.shapes
    assert (listens.files, listens.constants) == (
        "listens/*",
        {"level": "free", "page": "NextSong"},
    )
    assert ("page" in listens.paths, "level" in listens.paths) == (False, False)
    assert (others.paths["ts"], others.page_from) == (("at", "ms"), "folder")
    assert "gender" not in others.paths
    assert parameters.needs_files


@pytest.mark.parametrize(
    ("levels", "only_plan"),
    [
        ({"free": ["free"], "paid": ["Gold", "Silver"]}, "Gold"),
        ({"free": ["Basic"], "paid": []}, "Basic"),
    ],
)
def test_without_a_level_key_all_customers_have_one_plan(
    changed: Callable[..., DataProcessingParameters], levels: dict[str, list[str]], only_plan: str
) -> None:
    parameters = changed({"level": None}, levels=levels)
    assert parameters.shapes[0].constants == {"level": only_plan}
    assert not parameters.lacks("level")


def test_with_plan_pages_records_lack_a_level(
    changed: Callable[..., DataProcessingParameters],
) -> None:
    parameters = changed({"level": None}, plan_pages={"paid": ["Submit Upgrade"], "free": []})
    assert parameters.shapes[0].constants == {}
    assert parameters.lacks("level")
    assert not parameters.lacks("sessionId")
