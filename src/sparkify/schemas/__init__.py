"""Every table of the project: its grain, its columns, their types, units and meanings.

The catalog names these tables as validators: a DataFrame with other columns is not saved.
Checking a schema starts no Spark job.
"""

from sparkify.schemas.customers import (
    FEATURES,
    KEYS,
    SNAPSHOTS,
    USER_DAYS,
    feature_columns,
    summed_columns,
    user_day_columns,
    window_columns,
)
from sparkify.schemas.events import (
    CHECKED_EVENTS,
    EVENT_COUNTS,
    EVENTS,
    MALFORMED_ROW,
    RAW_EVENTS,
    REPEATED_EVENTS,
)
from sparkify.schemas.forecasts import (
    CANDIDATE_PREDICTIONS,
    CHURN_SCORES,
    CURRENT_SNAPSHOTS,
    CUSTOMER_VALUES,
    MODEL_INPUT,
    OUT_OF_FOLD_PREDICTIONS,
    PREDICTIONS,
    TIME_TO_LEAVE,
)
from sparkify.schemas.parameters import NewColumnName
from sparkify.schemas.simulated import SIMULATED_SESSIONS, SIMULATED_USERS

__all__ = [
    "CANDIDATE_PREDICTIONS",
    "CHECKED_EVENTS",
    "CHURN_SCORES",
    "CURRENT_SNAPSHOTS",
    "CUSTOMER_VALUES",
    "EVENTS",
    "EVENT_COUNTS",
    "FEATURES",
    "KEYS",
    "MALFORMED_ROW",
    "MODEL_INPUT",
    "OUT_OF_FOLD_PREDICTIONS",
    "PREDICTIONS",
    "RAW_EVENTS",
    "REPEATED_EVENTS",
    "SIMULATED_SESSIONS",
    "SIMULATED_USERS",
    "SNAPSHOTS",
    "TIME_TO_LEAVE",
    "USER_DAYS",
    "NewColumnName",
    "feature_columns",
    "summed_columns",
    "user_day_columns",
    "window_columns",
]
