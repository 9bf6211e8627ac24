from datetime import date

from pyspark.sql import SparkSession

from sparkify.pipelines.campaigns.retention import count_retained

FIRST_DAY, LOG_END = date(2018, 10, 1), date(2018, 11, 5)  # Mondays
# User, registration, day, cancellations.
DAYS = [
    ("old", "2018-08-01", "2018-10-01", 0),
    ("old", "2018-08-01", "2018-10-09", 1),  # cancels in the second week of the log
    ("older", "2018-01-01", "2018-10-30", 0),
    ("new", "2018-10-16", "2018-10-16", 0),
    ("new", "2018-10-16", "2018-10-23", 1),  # seven days after the sign-up: retained for a week
    ("newer", "2018-10-21", "2018-10-21", 1),
    ("newest", "2018-10-31", "2018-10-31", 0),  # no whole week since then
    ("unknown", None, "2018-10-31", 0),
]


def test_customers_are_counted_from_sign_up_or_from_the_first_day_of_the_log(
    spark: SparkSession,
) -> None:
    user_days = spark.createDataFrame(
        DAYS, "user_id string, registration string, day string, cancellations bigint"
    ).selectExpr(
        *("user_id", "timestamp(registration) AS registration", "date(day) AS day"),
        "cancellations",
    )
    retained = count_retained(user_days, FIRST_DAY, LOG_END, cohorts=4, weeks=[1, 2, 9])
    assert retained.to_numpy().tolist() == [
        ["2018-10-15", 1, 2, 1],
        ["2018-10-15", 2, 2, 0],
        ["earlier", 1, 2, 2],
        ["earlier", 2, 2, 1],
    ]
