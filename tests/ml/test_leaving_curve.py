from datetime import date

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.ml.leaving_curve import (
    COUNT_KEYS,
    LeavingCurve,
    count_person_periods,
    find_median_days,
    fit_leaving_curve,
    risk_of,
)

CURVE = LeavingCurve(
    horizon_days=10,
    first_day=1,
    days=30,
    log_day=0.2,
    risk_by_log_day=-0.1,
    is_first=0.0,
    risk_by_is_first=0.0,
    weekdays=(0.0, 0.1, 0.0, -0.2, 0.0, -0.7, -0.8),
    min_risk=-6.0,
    max_risk=0.5,
)
CONSTANT = LeavingCurve(10, 1, 30, 0, 0, 0, 0, (0.0,) * 7, -6, 1)
PROBABILITY = np.array([0.0, 1e-4, 0.03, 0.4, 0.9, 1.0])


def test_curves_have_the_forecast_at_the_horizon_and_never_fall() -> None:
    left = CURVE.predict(PROBABILITY, np.arange(6), 30)
    assert left.shape == (6, 30)
    np.testing.assert_allclose(left[:, 9], PROBABILITY.clip(1e-6, 1 - 1e-6), rtol=1e-9)
    assert (np.diff(left, axis=1) >= 0).all()
    assert left.min() >= 0
    assert left.max() <= 1


def test_a_constant_hazard_gives_an_exponential_curve() -> None:
    (left,) = CONSTANT.predict(np.array([0.19]), np.array([3]), 20)
    assert left[4] == pytest.approx(0.1)  # 0.9 * 0.9 = 0.81
    assert left[19] == pytest.approx(1 - 0.81**2)


def test_fewer_days_than_the_horizon_are_the_beginning_of_the_curve() -> None:
    whole = CURVE.predict(PROBABILITY, np.full(6, 2), 30)
    np.testing.assert_array_equal(CURVE.predict(PROBABILITY, np.full(6, 2), 4), whole[:, :4])


def test_the_weekday_of_the_cutoff_moves_the_days_with_few_departures() -> None:
    friday, monday = CURVE.predict(np.array([0.1, 0.1]), np.array([4, 0]), 10)
    friday_steps, monday_steps = np.diff(friday, prepend=0), np.diff(monday, prepend=0)
    assert friday_steps[1] < friday_steps[3]  # Saturday, Monday
    assert monday_steps[6] < monday_steps[4]  # Sunday, Friday


def test_customers_cannot_leave_before_the_first_day() -> None:
    late = LeavingCurve(10, 10, 30, 0, 0, 1.5, 0.2, (0.0,) * 7, -6, 1)
    (left,) = late.predict(np.array([0.2]), np.array([0]), 30)
    assert left[:9].tolist() == [0] * 9
    assert left[9] == pytest.approx(0.2)
    assert 0.2 < left[10] < left[29] < 1


def test_the_median_is_the_first_day_with_a_half() -> None:
    left = np.array([[0.1, 0.5, 0.6], [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]])
    assert find_median_days(left).tolist() == [2, 0, 1]


def test_a_curve_is_the_same_after_json() -> None:
    assert LeavingCurve.from_dict(CURVE.to_dict()) == CURVE


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
