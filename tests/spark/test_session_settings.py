from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkify.spark.session_settings import RunningSessionError, apply_settings

ZONE = "spark.sql.session.timeZone"


@pytest.fixture
def session(spark: SparkSession) -> SparkSession:
    """Return a session with other settings, as a notebook may start it."""
    other = spark.newSession()
    other.conf.set(ZONE, "America/New_York")
    return other


def test_a_running_session_gets_the_settings_that_change_results(
    session: SparkSession, logged: pytest.LogCaptureFixture
) -> None:
    session.conf.set("spark.sql.ansi.enabled", "false")
    apply_settings(session, {ZONE: "UTC", "spark.sql.ansi.enabled": True})
    assert session.conf.get(ZONE) == "UTC"
    assert session.conf.get("spark.sql.ansi.enabled") == "true"
    assert logged.messages == [
        "Settings of the running Spark session changed: spark.sql.session.timeZone=UTC "
        "(was America/New_York), spark.sql.ansi.enabled=true (was false)"
    ]


def test_an_instant_then_has_its_utc_day(session: SparkSession) -> None:
    day = "select string(date(timestamp_millis(1538352000000))) as day"
    assert session.sql(day).collect()[0]["day"] == "2018-09-30"
    apply_settings(session, {ZONE: "UTC"})
    assert session.sql(day).collect()[0]["day"] == "2018-10-01"


@pytest.mark.parametrize("value", ["America/New_York", None])
def test_a_session_with_the_same_settings_is_not_changed(
    session: SparkSession, logged: pytest.LogCaptureFixture, value: Any
) -> None:
    apply_settings(session, {ZONE: value})
    assert session.conf.get(ZONE) == "America/New_York"
    assert logged.messages == []


def test_settings_that_do_not_change_results_are_ignored(
    session: SparkSession, logged: pytest.LogCaptureFixture
) -> None:
    apply_settings(session, {"spark.master": "yarn", "spark.driver.memory": "64g"})
    assert session.conf.get("spark.master") == "local[1]"
    assert logged.messages == []


def test_a_session_that_rejects_a_setting_stops_the_run(session: SparkSession) -> None:
    current = session.conf.get("spark.sql.extensions", None)
    with pytest.raises(RunningSessionError) as refused:
        apply_settings(session, {"spark.sql.extensions": "some.Extension"})
    assert str(refused.value) == (
        f"the running Spark session has spark.sql.extensions {current or 'unset'} and cannot "
        f"change it; conf/<env>/spark.yml sets some.Extension. Stop that session (spark.stop()), "
        f"or start it with spark.sql.extensions some.Extension."
    )
