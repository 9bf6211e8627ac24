from datetime import date
from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.campaigns.contact_record import (
    ContactRecordError,
    join_contacts,
    list_contacts_made,
)

LISTED = pd.DataFrame(
    [
        ("a", "2018-11-01", date(2018, 11, 1), "contact"),
        ("b", "2018-11-01", date(2018, 11, 1), "contact"),
        ("c", "2018-11-01", date(2018, 11, 1), "control"),
        ("c", "2018-11-08", date(2018, 11, 8), "contact"),
        ("d", "2018-11-08", date(2018, 11, 8), "lasting"),
    ],
    columns=["user_id", "campaign", "cutoff", "group"],
)


def record(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "contacted_at", "campaign"], dtype=str)


def rows_of(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def test_without_a_record_contacts_were_made_as_listed() -> None:
    assert rows_of(list_contacts_made(LISTED, None)) == [
        ("a", pd.Timestamp("2018-11-01"), "2018-11-01"),
        ("b", pd.Timestamp("2018-11-01"), "2018-11-01"),
        ("c", pd.Timestamp("2018-11-08"), "2018-11-08"),
    ]


def test_times_of_a_record_are_read_as_utc() -> None:
    made = list_contacts_made(
        LISTED,
        record(("a", "2018-11-02", "2018-11-01"), ("b", "2018-11-02T23:30:00-02:00", "2018-11-01")),
    )
    assert made["contacted_at"].tolist() == [
        pd.Timestamp("2018-11-02"),
        pd.Timestamp("2018-11-03 01:30"),
    ]


def test_a_record_without_a_column_is_refused() -> None:
    with pytest.raises(ContactRecordError, match="lacks the columns contacted_at, campaign"):
        list_contacts_made(LISTED, pd.DataFrame({"user_id": ["a"]}))


def test_a_record_with_a_wrong_time_is_refused() -> None:
    wrong = record(("a", "2018-11-02", "x"), ("b", "tomorrow", "x"))
    with pytest.raises(ContactRecordError, match=r"1 of 2 contacts .* as in 'tomorrow'"):
        list_contacts_made(LISTED, wrong)


def test_contacts_are_counted_as_made_late_and_of_other_campaigns() -> None:
    contacts = list_contacts_made(
        LISTED,
        record(
            ("a", "2018-11-01", "2018-11-01"),
            ("a", "2018-11-03", "2018-11-01"),
            ("b", "2018-11-11", "2018-11-01"),  # the first day after the horizon
            ("c", "2018-11-08", "2018-11-08"),  # of the control group of the week before
            ("d", "2018-11-09", "spring"),
        ),
    )
    joined = join_contacts(LISTED, contacts, horizon_days=10)
    names = ["user_id", "campaign", "contacts", "late_contacts", "other_contacts"]
    assert rows_of(joined[names]) == [
        ("a", "2018-11-01", 2, 0, 0),
        ("b", "2018-11-01", 0, 1, 0),
        ("c", "2018-11-01", 0, 0, 1),
        ("c", "2018-11-08", 1, 0, 0),
        ("d", "2018-11-08", 0, 0, 1),
    ]
