"""Model inputs, predictions, and scores of current customers."""

from pyspark.sql import types as T

from sparkify.schemas.customers import CUSTOMER_AT_CUTOFF, FEATURES, KEYS, SNAPSHOTS
from sparkify.schemas.table import FLAG, NUMBER, SMALL, TEXT, Column, Table

TRAINABLE = Column(
    "is_trainable", FLAG, "False for users held out of all training, by a hash of the user."
)

MODEL_INPUT = Table(
    "One row per user and cutoff: the label, whether the user may be in training, features.",
    (*SNAPSHOTS.definition, TRAINABLE, *FEATURES.definition[len(KEYS) :]),
)

PREDICTIONS = Table(
    "One row per user and cutoff: the forecast and the outcome.",
    (
        *SNAPSHOTS.definition,
        TRAINABLE,
        Column("probability", NUMBER, "Forecast probability of `churned`, calibrated."),
        Column("baseline_*", NUMBER, "The feature that a baseline ranks by."),
    ),
)

OUT_OF_FOLD_PREDICTIONS = Table(
    "One row per trial, repeat, user and cutoff of training.",
    (
        Column("trial", SMALL, "Position in the list of candidates and settings, from 0."),
        Column("candidate", TEXT, "The candidate with its settings."),
        Column("repeat", SMALL, "Repeat of the cross-validation, from 0."),
        Column("fold", SMALL, "Fold in which the user was held out, from 0."),
        *SNAPSHOTS.definition,
        Column("probability", NUMBER, "Forecast probability of `churned`, not calibrated."),
    ),
)

CANDIDATE_PREDICTIONS = Table(
    "One row per candidate, user and cutoff.",
    (
        *SNAPSHOTS.definition,
        Column("candidate", TEXT, "The candidate, with the best of its settings."),
        Column("probability", NUMBER, "Its forecast probability of `churned`, not calibrated."),
    ),
)

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
        Column("rank", SMALL, "1 for the highest probability; ties by user_id."),
        Column("percentile", NUMBER, "Percent of the customers who rank lower."),
        Column("level", TEXT, "free or paid, at the last event before the cutoff."),
        Column("days_since_last_seen", NUMBER, "Days since the last event."),
        Column("segment", TEXT, "The most likely segment; null if the model has none."),
        Column(
            "median_days",
            SMALL,
            "First day with a probability of at least a half to have left by its end, 1 for the "
            "day of the cutoff; null if it is later than the last day of time_to_leave.",
        ),
        Column(
            "reasons_for",
            T.ArrayType(REASON),
            "Inputs that raise the probability most, the strongest first: the input, a sentence, "
            "and its contribution before calibration, in log-odds (random forest: in probability).",
        ),
        Column("reasons_against", T.ArrayType(REASON), "Inputs that lower it most, likewise."),
    ),
)

TIME_TO_LEAVE = Table(
    "One row per customer at the cutoff that is scored, and day.",
    (
        *CURRENT_SNAPSHOTS.definition,
        Column("day", SMALL, "Days after the cutoff, 1 for the day of the cutoff."),
        Column(
            "probability",
            NUMBER,
            "Probability to have left by the end of this day; at the horizon that of churn_scores.",
        ),
    ),
)

CUSTOMER_VALUES = Table(
    "One row per customer at the cutoff that is scored. Amounts are in dollars.",
    (
        *CURRENT_SNAPSHOTS.definition,
        Column("level", TEXT, "free or paid, at the last event before the cutoff."),
        Column("segment", TEXT, "The most likely segment; null if the model has none."),
        Column("probability", NUMBER, "Forecast probability of the outcome, as in churn_scores."),
        Column(
            "remaining_value",
            NUMBER,
            "Expected margin of the next scoring.value.months, discounted; null without prices.",
        ),
        Column(
            "remaining_value_sd",
            NUMBER,
            "Its standard deviation, from the chance of when the customer leaves.",
        ),
        Column(
            "kept_value",
            NUMBER,
            "Expected margin that is lost if the customer leaves within the horizon; without "
            "prices, kept_customer_value.",
        ),
        Column("value_at_risk", NUMBER, "probability * kept_value."),
    ),
)
