from datetime import date

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.ml.hazard_model import (
    COUNT_KEYS,
    count_person_periods,
    fit_leaving_curve,
    risk_of,
)


def test_person_periods_end_with_departure_or_follow_up(spark: SparkSession) -> None:
    monday = date(2018, 10, 1)
    departures = spark.createDataFrame(
        [(monday, -3.2, 2, 5), (monday, -3.2, None, 1), (monday, -1.0, None, 9)],
        "cutoff date, risk double, left_on_day int, follow_up_days int",
    )
    counts = count_person_periods(departures, 1, 3).orderBy("risk", "day").collect()
    assert [tuple(row) for row in counts] == [
        (1, 0, -3.2, 2, 0),
        (2, 1, -3.2, 1, 1),
        (1, 0, -1.0, 1, 0),
        (2, 1, -1.0, 1, 0),
        (3, 2, -1.0, 1, 0),
    ]
    late = count_person_periods(departures, 3, 3, ["day"]).collect()
    assert [tuple(row) for row in late] == [(3, 1, 0)]


def test_risks_are_log_cumulative_hazards_to_a_tenth(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(0.05,), (0.0,), (1.0,)], "probability double")
    risks = [row[0] for row in rows.select(risk_of(F.col("probability"))).collect()]
    assert risks == [-3.0, -13.8, 2.6]


def draw_counts(spark: SparkSession, first_day: int) -> DataFrame:
    """Return expected person-periods with the hazards of a known curve."""
    rows = []
    for risk in (-4.0, -3.0, -2.0, -1.0):
        for day in range(first_day, 31):
            weekday = day % 7
            log_day = np.log(day - first_day + 1)
            log_hazard = -2 + risk + (0.3 - 0.1 * risk) * log_day - 0.6 * (weekday == 6)
            if first_day > 1:
                log_hazard += (2 + 0.2 * risk) * (day == first_day)
            at_risk = 10_000_000
            left = round(at_risk * -np.expm1(-np.exp(log_hazard)))
            rows.append((day, weekday, risk, at_risk, left))
    return spark.createDataFrame(rows, "day int, weekday int, risk double, at_risk long, left long")


@pytest.mark.parametrize("first_day", [1, 10])
def test_the_fit_finds_the_coefficients_of_the_hazard(spark: SparkSession, first_day: int) -> None:
    curve = fit_leaving_curve(draw_counts(spark, first_day), 10, first_day, prior=4)
    assert curve.days == 30
    assert (curve.min_risk, curve.max_risk) == (-4.0, -1.0)
    assert curve.log_day == pytest.approx(0.3, abs=0.01)
    assert curve.risk_by_log_day == pytest.approx(-0.1, abs=0.005)
    assert curve.weekdays == pytest.approx([0, 0, 0, 0, 0, 0, -0.6], abs=0.01)
    if first_day > 1:
        assert curve.is_first == pytest.approx(2, abs=0.02)
        assert curve.risk_by_is_first == pytest.approx(0.2, abs=0.01)


def test_partitions_do_not_change_the_fit(spark: SparkSession) -> None:
    counts = draw_counts(spark, 1)
    again = counts.repartition(5, *COUNT_KEYS)
    assert fit_leaving_curve(again, 10, 1, prior=4) == fit_leaving_curve(counts, 10, 1, prior=4)


def test_one_day_of_one_risk_has_a_fit(spark: SparkSession) -> None:
    # With `inactivity`, a log with one training cutoff shows only the horizon's last day.
    counts = spark.createDataFrame(
        [(10, 4, -2.0, 50, 7)], "day int, weekday int, risk double, at_risk long, left long"
    )
    curve = fit_leaving_curve(counts, 10, 10, prior=4)
    assert (curve.days, curve.log_day, curve.risk_by_is_first) == (10, 0, 0)
    left = curve.predict(np.array([0.3]), np.array([2]), 12)
    assert left[0, 9] == pytest.approx(0.3)
