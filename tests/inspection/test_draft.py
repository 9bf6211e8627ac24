import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from sparkify.inspection import draft_settings
from sparkify.inspection.draft import format_documents, format_scalar

GLOBALS, PARAMETERS = "conf/mylog/globals.yml", "conf/mylog/parameters.yml"
SHOP = "user,event,at\n" + "".join(f"u{n % 3},cart,2024-01-01 11:06:{n:02}\n" for n in range(30))


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def event(number: int, **values: Any) -> dict[str, Any]:
    return {"ts": 1541105830 + number, "userId": f"u{number % 3}", "page": "Play", **values}


def draft(log: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return both files' settings and the text of the parameters."""
    settings = draft_settings(log)
    assert [*settings] == [GLOBALS, PARAMETERS]
    assert all(text.startswith(f"# {file}\n") for file, text in settings.items())
    printed = [*yaml.safe_load_all(format_documents(settings))]
    assert printed == [yaml.safe_load(text) for text in settings.values()]
    return printed[0], printed[1], settings[PARAMETERS]


def test_settings_for_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    global_settings, parameters, text = draft(tmp_path / "shop.csv")
    assert (global_settings["raw_log"], global_settings["raw_format"]) == (
        str(tmp_path / "shop.csv"),
        "csv",
    )
    assert parameters["feature_engineering"] == {"pages": {"next_song": "cart"}}
    assert global_settings["environment"] == "mylog"
    data_processing = parameters["data_processing"]
    assert data_processing["fields"] == {
        **{"ts": "at", "userId": "user", "page": "event"},
        **dict.fromkeys(["sessionId", "itemInSession", "level", "registration"]),
        **dict.fromkeys(["gender", "length", "revenue"]),
    }
    assert data_processing["constants"] == {"level": "paid"}
    assert data_processing["time_format"] == "auto"
    assert data_processing["session_gap_minutes"] == 30
    assert "time_zone: UTC  # a guess: times have no zone" in text
    assert "# A draft from all 30 records (CSV)." in text
    assert "  # outcome: inactivity\n  # active_within_days: 30" in text


@pytest.mark.parametrize(
    ("name", "raw_format"),
    [
        ("a.tsv", "tsv"),
        ("a.json.gz", "json_lines"),
        ("a.json", "json_array"),
        ("a.parquet", "parquet"),
    ],
)
def test_each_format_gives_the_same_fields(tmp_path: Path, name: str, raw_format: str) -> None:
    records = [event(number) for number in range(30)]
    table = pd.DataFrame(records)
    if raw_format == "parquet":
        table.to_parquet(tmp_path / name)
    content = {
        "tsv": table.to_csv(sep="\t", index=False).encode(),
        "json_lines": gzip.compress(lines(*records).encode(), mtime=0),
        "json_array": json.dumps(records, indent=1).encode(),
    }
    if raw_format in content:
        (tmp_path / name).write_bytes(content[raw_format])
    global_settings, parameters, _ = draft(tmp_path / name)
    assert global_settings["raw_format"] == raw_format
    fields = parameters["data_processing"]["fields"]
    assert [fields[key] for key in ("ts", "userId", "page")] == ["ts", "userId", "page"]


def test_nested_keys_and_plans_are_quoted_for_yaml(tmp_path: Path) -> None:
    records = [
        {"time": f"2024-01-01T00:00:{n:02}Z", "who": {"user.id": n % 3}, "paying": bool(n % 2)}
        | {"event": ["yes", "Account: Closed #1", "${x}"][n % 3]}
        for n in range(30)
    ]
    (tmp_path / "log.json").write_text(lines(*records), encoding="utf-8")
    _, parameters, _ = draft(tmp_path / "log.json")
    data_processing = parameters["data_processing"]
    assert data_processing["fields"]["userId"] == "who.user\\.id"
    assert data_processing["levels"] == {"free": ["false"], "paid": ["true"]}
    pages = parameters["feature_engineering"].pop("pages")
    assert parameters["feature_engineering"] == {"cancellation_page": "Account: Closed #1"}
    assert pages["next_song"] in ("yes", "${x}")


def test_personal_values_are_not_printed(tmp_path: Path) -> None:
    private = {"firstName": "Faigy", "mail": "f@example.org", "ip": "10.1.2.3", "ua": "Mozilla/5.0"}
    (tmp_path / "log.json").write_text(lines(event(1, **private)), encoding="utf-8")
    printed = format_documents(draft_settings(tmp_path / "log.json"))
    assert [value for value in private.values() if value in printed] == []
    assert printed.count("values not shown") == 4


def test_folders_with_different_keys_become_sources(tmp_path: Path) -> None:
    for folder, keys in (("views", ("ts", "userId", "page")), ("listens", ("ts", "userId"))):
        (tmp_path / folder).mkdir()
        records = [{key: event(n)[key] for key in keys} for n in range(30)]
        (tmp_path / folder / "a.json").write_text(lines(*records), encoding="utf-8")
    _, parameters, text = draft(tmp_path)
    listens, views = parameters["data_processing"]["sources"]
    assert (listens["files"], listens["page_from"]) == ("listens/*", "folder")
    assert (views["files"], views["fields"]["page"]) == ("views/*", "page")
    assert "page_from" not in views
    assert parameters["feature_engineering"]["pages"] == {"next_song": "Play"}
    assert "# A draft from all 60 records of 2 of 2 files" in text


def test_the_format_of_mixed_files_is_auto(tmp_path: Path) -> None:
    (tmp_path / "a1.csv").write_text("ts,userId,page\n1541105830,a,Play\n", encoding="utf-8")
    (tmp_path / "a2.json").write_text(lines(event(1)), encoding="utf-8")
    assert draft(tmp_path)[0]["raw_format"] == "auto"


def test_problems_are_listed(tmp_path: Path) -> None:
    rows = "1541105830;a;Play\n1541105831;b;Play\n"
    (tmp_path / "log.csv").write_text(rows, encoding="utf-8")
    _, _, text = draft(tmp_path / "log.csv")
    assert "# Problem: columns are separated by ;; the project reads commas and tabs." in text
    assert "# Problem: the first row looks like data. A table needs a header with" in text
    (tmp_path / "log.json").write_text(lines(event(1)) + "oops\n", encoding="utf-8")
    assert '# Problem: 1 lines of "log.json" are not records.' in draft(tmp_path / "log.json")[2]


def test_key_value_pairs_cannot_be_fields(tmp_path: Path) -> None:
    params = [{"key": "ga_session_id", "value": {"int_value": 1}}]
    (tmp_path / "log.json").write_text(lines(event(1, event_params=params)), encoding="utf-8")
    assert "key/value pairs, which cannot be fields" in draft(tmp_path / "log.json")[2]


@pytest.mark.parametrize("value", ["a", "true", "a: b", "# x", "é😀", "1", "", "x" * 200, None])
def test_scalars_are_read_back_unchanged(value: str | None) -> None:
    assert "\n" not in format_scalar(value)
    assert yaml.safe_load(format_scalar(value)) == value
