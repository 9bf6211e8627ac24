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
    CHECKED_RECORDS,
    EVENT_COUNTS,
    EVENTS,
    MALFORMED_ROW,
    PAGE_COUNTS,
    RAW_EVENTS,
    REPEATED_EVENTS,
)
from sparkify.schemas.forecasts import (
    CANDIDATE_PREDICTIONS,
    CHURN_SCORES,
    CURRENT_SNAPSHOTS,
    MODEL_INPUT,
    OUT_OF_FOLD_PREDICTIONS,
    PREDICTIONS,
)
from sparkify.schemas.parameters import NewColumnName
from sparkify.schemas.simulated import SIMULATED_SESSIONS, SIMULATED_USERS
from sparkify.schemas.table import PartitionUpdate

__all__ = [
    "CANDIDATE_PREDICTIONS",
    "CHECKED_EVENTS",
    "CHECKED_RECORDS",
    "CHURN_SCORES",
    "CURRENT_SNAPSHOTS",
    "EVENTS",
    "EVENT_COUNTS",
    "FEATURES",
    "KEYS",
    "MALFORMED_ROW",
    "MODEL_INPUT",
    "OUT_OF_FOLD_PREDICTIONS",
    "PAGE_COUNTS",
    "PREDICTIONS",
    "RAW_EVENTS",
    "REPEATED_EVENTS",
    "SIMULATED_SESSIONS",
    "SIMULATED_USERS",
    "SNAPSHOTS",
    "USER_DAYS",
    "NewColumnName",
    "PartitionUpdate",
    "feature_columns",
    "summed_columns",
    "user_day_columns",
    "window_columns",
]
