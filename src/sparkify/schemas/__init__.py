"""Every table of the project: its grain, its columns, their types, units and meanings.

The catalog names these tables as validators, so that what is saved has the columns promised
here. Checking a schema starts no Spark job.
"""

from sparkify.schemas.customers import (
    KEYS,
    SNAPSHOTS,
    Features,
    UserDays,
    summed_columns,
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
    OUT_OF_FOLD_PREDICTIONS,
    ModelInput,
    Predictions,
)
from sparkify.schemas.names import NewColumnName
from sparkify.schemas.scores import CHURN_SCORES, CURRENT_SNAPSHOTS
from sparkify.schemas.simulated import SIMULATED_SESSIONS, SIMULATED_USERS

__all__ = [
    "CANDIDATE_PREDICTIONS",
    "CHECKED_EVENTS",
    "CHURN_SCORES",
    "CURRENT_SNAPSHOTS",
    "EVENTS",
    "EVENT_COUNTS",
    "KEYS",
    "MALFORMED_ROW",
    "OUT_OF_FOLD_PREDICTIONS",
    "RAW_EVENTS",
    "REPEATED_EVENTS",
    "SIMULATED_SESSIONS",
    "SIMULATED_USERS",
    "SNAPSHOTS",
    "Features",
    "ModelInput",
    "NewColumnName",
    "Predictions",
    "UserDays",
    "summed_columns",
    "window_columns",
]
