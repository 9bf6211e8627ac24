"""The tables that scoring makes of the customers of a moment."""

from pyspark.sql import types as T

from sparkify.schemas.customers import CUSTOMER_AT_CUTOFF
from sparkify.schemas.kinds import NUMBER, SMALL, TEXT
from sparkify.schemas.table import Column, Table

REASON = T.StructType(
    [
        T.StructField("input", TEXT),
        T.StructField("reason", TEXT),
        T.StructField("contribution", NUMBER),
    ]
)

CURRENT_SNAPSHOTS = Table(
    "One row per customer at the cutoff that is scored.",
    CUSTOMER_AT_CUTOFF,
)

CHURN_SCORES = Table(
    "One row per customer at the cutoff that is scored.",
    (
        *CURRENT_SNAPSHOTS.definition,
        Column("probability", NUMBER, "Forecast probability of the outcome, calibrated."),
        Column("rank", SMALL, "1 for the likeliest; equals by user_id."),
        Column("percentile", NUMBER, "Percent of the customers who are ranked behind."),
        Column("level", TEXT, "free or paid, at the last event before the cutoff."),
        Column("days_since_last_seen", NUMBER, "Days since the last event."),
        Column(
            "reasons_for",
            T.ArrayType(REASON),
            "What speaks most for the outcome, the strongest first: the input, words, and what it "
            "adds to the margin before calibration (log-odds; a random forest's probability).",
        ),
        Column("reasons_against", T.ArrayType(REASON), "What speaks most against it, likewise."),
    ),
)
