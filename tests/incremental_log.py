"""A small log in files by day, and runs on it with the pipelines and the catalog of the project."""

import functools
import json
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner

from sparkify.hooks.parameter_check import SECTIONS
from sparkify.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).parents[1]
FIRST_DAY = datetime(2018, 10, 1, tzinfo=UTC)
DAYS = 6
PAGES = ["NextSong", "Home", "Thumbs Up", "Roll Advert", "Submit Upgrade", "Logout"]
TABLES = [
    *("checked_events", "repeated_events", "page_counts", "event_counts"),
    *("user_days", "snapshots", "features"),
]
SUMMARIES = ["data_quality", "event_summary"]
FEATURE_ENGINEERING = {  # a history and a horizon within six days, and few columns
    "pages": {
        "next_song": "NextSong",
        "thumbs_up": "Thumbs Up",
        "submit_upgrade": "Submit Upgrade",
    },
    "by_level": ["next_song"],
    "windowed": ["next_song", "sessions"],
    "horizon_days": 2,
    "min_history_days": 1,
    "cutoff_step_days": 1,
    "windows_days": [1, 2],
    "outcome": "inactivity",
    "cancellation_page": "Logout",
    "downgrade_page": "Home",
}


def make_record(chance: random.Random, day: int, session: int, user: int) -> dict[str, Any]:
    """Return an event of a user on a day; `session` may have events on other days."""
    ts = FIRST_DAY + timedelta(days=day, seconds=chance.randrange(86_400))
    page = chance.choice(PAGES)
    return {
        "ts": int(ts.timestamp() * 1000),
        "userId": str(user) if chance.random() < 0.95 else "",
        "sessionId": session,
        "page": page if chance.random() < 0.97 else None,
        "level": chance.choice(["free", "paid"]),
        "itemInSession": chance.randrange(50),
        "registration": 1538000000000 - user,
        "gender": chance.choice(["F", "M", None]),
        **({"length": round(chance.uniform(100, 300), 5)} if page == "NextSong" else {}),
        **({"version": 2} if chance.random() < 0.1 else {}),
    }


def make_session_across_midnight(
    chance: random.Random, day: int, session: int
) -> list[dict[str, Any]]:
    """Return two events of a session, ten minutes before and after the end of a day."""
    midnight = (FIRST_DAY + timedelta(days=day + 1)).timestamp()
    return [
        make_record(chance, day, session, 1)
        | {"ts": int(midnight + seconds) * 1000, "userId": "1", "page": "Home"}
        for seconds in (-600, 600)
    ]


@functools.cache
def load_settings(kind: str) -> dict[str, Any]:
    """Return the catalog or the parameters of the mini environment."""
    loader = OmegaConfigLoader(str(ROOT / "conf"), env="mini", **CONFIG_LOADER_ARGS)
    settings: dict[str, Any] = loader[kind]
    return settings


class FolderLog:
    """A log in files."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.log.mkdir(parents=True)

    def write(self, name: str, records: list[dict[str, Any]]) -> None:
        """Write a file of the log."""
        lines = [json.dumps(record) for record in records]
        (self.log / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def read(self, name: str) -> list[dict[str, Any]]:
        """Read a file of the log."""
        lines = (self.log / name).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def list_names(self) -> list[str]:
        """Return the names of the log's files in order."""
        return sorted(path.name for path in self.log.iterdir())


class IncrementalLog(FolderLog):
    """A log in files, and the data that the pipelines make from it with the project's catalog."""

    def __init__(self, folder: Path, **data_processing: Any) -> None:
        super().__init__(folder / "log")
        self.folder = folder
        self._changes = {
            "data_processing": {"max_rejected_share": 1.0, **data_processing},
            "feature_engineering": FEATURE_ENGINEERING,
        }
        self.data = folder / "data"
        self.pipeline = pipelines["data_processing"] + pipelines["feature_engineering"]

    def open_catalog(self, data: Path | None = None) -> DataCatalog:
        """Return the project's catalog with its data in a folder."""
        config = json.dumps(load_settings("catalog"))
        config = config.replace('"data/', f'"{data or self.data}/')
        config = config.replace(
            f"{data or self.data}/01_raw/mini_sparkify_event_data.json", str(self.log)
        )
        catalog = DataCatalog.from_config(json.loads(config))
        for name, changes in self._changes.items():
            section = load_settings("parameters")[name] | changes
            catalog[f"params:{name}"] = SECTIONS[name].model_validate(section)
        return catalog

    def run(self, data: Path | None = None) -> dict[str, Any]:
        """Run data processing and feature engineering; return the content of all results."""
        SequentialRunner().run(self.pipeline, self.open_catalog(data))
        return self.read_results(data)

    def run_from_scratch(self) -> dict[str, Any]:
        """Run on the same files without earlier data; return the content of all results."""
        data = self.folder / "scratch"
        shutil.rmtree(data, ignore_errors=True)
        return self.run(data)

    def read_results(self, data: Path | None = None) -> dict[str, Any]:
        """Return the content of all results."""
        return read_results(self.open_catalog(data))


def read_results(catalog: Any) -> dict[str, Any]:
    """Return the rows of each table, in any order, and each summary."""
    tables = {name: read_rows(catalog.get(name)) for name in TABLES}
    return {**tables, **{name: catalog.load(name) for name in SUMMARIES}}


def read_rows(dataset: Any) -> list[str]:
    """Return the rows of a table as sorted texts, without `batch`, which only names its files."""
    table: pa.Table = dataset._open_files().to_table()
    columns = sorted(set(table.column_names) - {"batch"})
    return sorted(map(str, table.select(columns).to_pylist()))


def write_days(log: FolderLog, chance: random.Random) -> None:
    """Write a file for each day; every session may go on after midnight."""
    for day in range(DAYS):
        log.write(f"day-{day}.json", make_day(chance, day))


def make_day(chance: random.Random, day: int) -> list[dict[str, Any]]:
    """Return the records of a day, some of them of the sessions of the day before."""
    users = [1, 2, 3]
    records = []
    for user in users:
        for _ in range(chance.randrange(4)):
            session = 10 * user + max(day - chance.randrange(2), 0)
            records.append(make_record(chance, day, session, user))
    records.append(make_record(chance, day, 10 + day, 1))
    records[-1] |= {"userId": "1", "page": "Home"}
    return records
