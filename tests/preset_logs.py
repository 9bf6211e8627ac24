"""Logs in the formats of well-known services, with a signal for the forecast."""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

USERS, DAYS = 450, 60
LOG_START = datetime(2024, 1, 1, tzinfo=UTC)
DISLIKED, LIKED, VISITED, LEFT = "dislike", "like", "home", "leave"
# By whether a user is dissatisfied: weights of pages, and daily probabilities.
PAGES = {
    True: {"play": 55, DISLIKED: 25, "advert": 8, LIKED: 2, VISITED: 10},
    False: {"play": 55, DISLIKED: 2, "advert": 8, LIKED: 25, VISITED: 10},
}
VISIT_PROBABILITY = {True: 0.3, False: 0.6}
LEAVE_PROBABILITY = {True: 0.03, False: 0.0005}


class Event(NamedTuple):
    """An event of a user, before it has the names of a service."""

    user: str
    at: datetime
    session: str
    item: int
    kind: str
    plan: str
    registered: datetime

    @property
    def number(self) -> int:
        """The user's number."""
        return int(self.user.removeprefix("user"))

    @property
    def session_number(self) -> int:
        return self.number * 100 + int(self.session.partition("-")[2])

    @property
    def micros(self) -> int:
        return (self.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def simulate_events(users: int) -> Iterator[Event]:
    """Yield the events of users; two in five are dissatisfied, and leave more often."""
    for number in range(users):
        yield from simulate_user(f"user{number}", Random(number))  # noqa: S311


def simulate_user(user: str, random: Random) -> Iterator[Event]:
    is_dissatisfied = random.random() < 0.4
    first_day = max(random.randrange(-30, 45), 0)
    registered = LOG_START + timedelta(days=first_day)
    plan = random.choice(["free", "paid"])
    pages = PAGES[is_dissatisfied]
    for day in range(first_day, DAYS):
        leaves = random.random() < LEAVE_PROBABILITY[is_dissatisfied]
        if not leaves and day > first_day and random.random() > VISIT_PROBABILITY[is_dissatisfied]:
            continue
        kinds = random.choices([*pages], [*pages.values()], k=random.randrange(3, 7))
        at = LOG_START + timedelta(days=day, seconds=random.randrange(80_000))
        for item, kind in enumerate([*kinds, LEFT] if leaves else kinds):
            at += timedelta(seconds=random.randrange(1, 300), milliseconds=random.randrange(1_000))
            yield Event(user, at, f"{user}-{day}", item, kind, plan, registered)
        if leaves:
            return


class Service(NamedTuple):
    """How a service writes its log.

    Attributes:
        pages: the service's name of each kind of event; other kinds are not logged. Without one
            for leaving, a user who leaves has no more events.
        record: makes a record from an event and its name.
        write: writes records to files.
    """

    pages: Mapping[str, str]
    record: Callable[[Event, str], dict[str, Any]]
    write: Callable[[Path, list[tuple[Event, dict[str, Any]]]], None]

    def write_log(self, path: Path, users: int = USERS) -> None:
        """Write the log to the path in the settings."""
        path.parent.mkdir(parents=True, exist_ok=True)
        logged = sorted(
            (event for event in simulate_events(users) if event.kind in self.pages),
            key=lambda event: event.at,
        )
        self.write(path, [(event, self.record(event, self.pages[event.kind])) for event in logged])


Records = list[tuple[Event, dict[str, Any]]]


def as_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def write_lines(path: Path, records: Records) -> None:
    path.write_bytes(as_lines(record for _, record in records))


def write_files(name: Callable[[Event], str]) -> Callable[[Path, Records], None]:
    """Return a function that writes JSON lines to files in a folder, named after their events."""

    def write(folder: Path, records: Records) -> None:
        by_file = defaultdict(list)
        for event, record in records:
            by_file[name(event)].append(record)
        for file, file_records in by_file.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            text = as_lines(file_records)
            (folder / file).write_bytes(
                gzip.compress(text, 1, mtime=0) if file.endswith(".gz") else text
            )

    return write


def write_csv(path: Path, records: Records) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, [*records[0][1]])
        rows.writeheader()
        rows.writerows(record for _, record in records)


def write_ga4(folder: Path, records: Records) -> None:
    """Write one half as JSON lines with numbers in quotes, the other half as Parquet."""
    half = len(records) // 2
    write_files(lambda event: "events_000000000000.json.gz")(folder, records[:half])
    rows = [
        {**record, "event_timestamp": int(record["event_timestamp"])}
        for _, record in records[half:]
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "events_000000000001.parquet")


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(at: datetime, timespec: str = "seconds") -> str:
    return at.replace(tzinfo=None).isoformat(" ", timespec)


def segment(event: Event, name: str) -> dict[str, Any]:
    return {
        "anonymousId": f"a-{event.user}",
        "channel": "client",
        "context": {
            "page": {"path": "/x"},
            "sessionId": 1_700_000_000_000 + event.session_number,
            "sessionStart": event.item == 0,
        },
        "event": name,
        "messageId": f"ajs-{event.session}-{event.item}",
        "originalTimestamp": iso(event.at),
        "properties": {"plan": event.plan},
        "receivedAt": iso(event.at + timedelta(seconds=2)),
        "timestamp": iso(event.at),
        "type": "track",
        "userId": event.user,
        "version": 2,
    }


def amplitude(event: Event, name: str) -> dict[str, Any]:
    return {
        "$insert_id": f"{event.session}-{event.item}",
        "event_id": event.item,
        "event_time": plain(event.at, "microseconds"),
        "event_type": name,
        "event_properties": {"path": "/x"},
        "session_id": 1_700_000_000_000 + event.session_number,
        "user_id": event.user,
        "device_id": "device",
        "user_creation_time": plain(event.registered, "microseconds"),
        "user_properties": {
            "gender": "F",
            "plan": {"free": "trial", "paid": "premium"}[event.plan],
        },
        "groups": {},
    }


def mixpanel(event: Event, name: str) -> dict[str, Any]:
    return {
        "event": name,
        "properties": {
            "time": event.micros // 1_000_000,
            "distinct_id": event.user,
            "$insert_id": f"{event.session}-{event.item}",
            "$device_id": "device",
            "mp_lib": "web",
            "plan": {"free": "free", "paid": "pro"}[event.plan],
        },
    }


def posthog(event: Event, name: str) -> dict[str, Any]:
    return {
        "uuid": f"{event.session}-{event.item}",
        "event": name,
        "distinct_id": event.user,
        "person_id": f"p-{event.user}",
        "properties": {"$session_id": event.session, "$current_url": "https://example.org/x"},
        "person_properties": {"plan": event.plan},
        "timestamp": event.at.isoformat(),
        "created_at": event.at.isoformat(),
    }


def ga4(event: Event, name: str) -> dict[str, Any]:
    session = {"key": "ga_session_id", "value": {"int_value": str(event.micros // 1_000_000)}}
    return {
        "event_date": f"{event.at:%Y%m%d}",
        "event_timestamp": str(event.micros),
        "event_name": name,
        "event_params": [session],
        "user_id": None,
        "user_pseudo_id": f"{event.user}.1700000000",
        "device": {"category": "mobile"},
        "platform": "WEB",
    }


def eventsim(event: Event, name: str) -> dict[str, Any]:
    is_listen = name == "NextSong"
    song = {"artist": "A", "song": "S", "duration": 201.5} if is_listen else {}
    return {
        "ts": event.micros // 1_000,
        "sessionId": event.session_number,
        "page": name,
        "auth": "Cancelled" if name == "Cancellation Confirmation" else "Logged In",
        "method": "PUT",
        "status": 200,
        "level": event.plan,
        "itemInSession": event.item,
        "city": "Paris",
        "zip": "75001",
        "userAgent": "UA",
        "userId": event.number,
        "lastName": "N",
        "firstName": "F",
        "gender": "F",
        "registration": int(event.registered.timestamp()) * 1_000,
        **song,
    }


def eventsim_topic(event: Event, topic: str) -> dict[str, Any]:
    record = eventsim(event, "NextSong" if topic == "listen_events" else topic)
    other = {"auth_events": {"success": True}}.get(topic, {})
    return {**{key: value for key, value in record.items() if key != "page"}, **other}


def listenbrainz(event: Event, name: str) -> dict[str, Any]:
    return {
        "user_id": 7,
        "user_name": event.user,
        "listened_at": event.micros // 1_000_000,
        "recording_msid": "0",
        "track_metadata": {
            "artist_name": "A",
            "track_name": "T",
            "additional_info": {"duration_ms": 201_500},
        },
    }


def shop(event: Event, name: str) -> dict[str, Any]:
    return {
        "user_id": event.user,
        "session_id": f"sess_{event.session}",
        "event": name,
        "timestamp": plain(event.at),
    }


def pages(play: str, like: str, dislike: str, advert: str, home: str) -> dict[str, str]:
    return {"play": play, LIKED: like, DISLIKED: dislike, "advert": advert, VISITED: home}


SERVICES = {
    "segment": Service(
        {
            **pages("Song Played", "Song Liked", "Song Disliked", "Ad Shown", "Home Viewed"),
            LEFT: "Subscription Cancelled",
        },
        segment,
        write_files(lambda event: f"source/{event.at:%m}/1.gz"),
    ),
    "amplitude": Service(
        {**pages("Play", "Like", "Dislike", "Ad Shown", "Home"), LEFT: "Subscription Cancelled"},
        amplitude,
        write_files(lambda event: f"1/1_{event.at:%Y-%m-%d}_0#0.json.gz"),
    ),
    "mixpanel": Service(
        {**pages("Play", "Like", "Dislike", "Ad Shown", "Home"), LEFT: "Subscription Cancelled"},
        mixpanel,
        write_lines,
    ),
    "posthog": Service(
        {
            **pages("song played", "song liked", "song disliked", "ad shown", "$pageview"),
            LEFT: "subscription cancelled",
        },
        posthog,
        write_files(lambda event: f"{event.at:%Y-%m-%dT00:00:00+00:00}.jsonl.gz"),
    ),
    "ga4": Service(
        pages("page_view", "scroll", "view_search_results", "user_engagement", "session_start"),
        ga4,
        write_ga4,
    ),
    "eventsim": Service(
        {
            **pages("NextSong", "Thumbs Up", "Thumbs Down", "Roll Advert", "Home"),
            LEFT: "Cancellation Confirmation",
        },
        eventsim,
        write_files(lambda event: "part-0.json"),
    ),
    "eventsim_topics": Service(
        {"play": "listen_events", VISITED: "auth_events", "advert": "status_change_events"},
        eventsim_topic,
        write_files(
            lambda event: {"play": "listen_events/0.json", VISITED: "auth_events/0.json"}.get(
                event.kind, "status_change_events"
            )
        ),
    ),
    "listenbrainz": Service(
        {"play": "listen"},
        listenbrainz,
        write_files(lambda event: f"{event.at:%Y}/{event.at.month}.listens"),
    ),
    "shop": Service(pages("catalog", "purchase", "home", "cart", "home"), shop, write_csv),
}
