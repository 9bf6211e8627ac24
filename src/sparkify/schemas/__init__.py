"""Every table of the project: its grain, its columns, their types, units and meanings.

The catalog names these tables as validators: a DataFrame with other columns is not saved.
Checking a schema starts no Spark job.
"""

from sparkify.schemas.customers import feature_columns as feature_columns
from sparkify.schemas.customers import summed_columns as summed_columns
from sparkify.schemas.customers import user_day_columns as user_day_columns
from sparkify.schemas.customers import window_columns as window_columns
from sparkify.schemas.parameters import NewColumnName as NewColumnName
from sparkify.schemas.table import TABLES
from sparkify.schemas.table import PartitionUpdate as PartitionUpdate

CANDIDATE_PREDICTIONS = TABLES["candidate_predictions"]
CHECKED_EVENTS = TABLES["checked_events"]
CHECKED_RECORDS = TABLES["checked_records"]
CHURN_SCORES = TABLES["churn_scores"]
CURRENT_SNAPSHOTS = TABLES["current_snapshots"]
CUSTOMER_VALUES = TABLES["customer_values"]
EVENT_COUNTS = TABLES["event_counts"]
EVENTS = TABLES["events"]
FEATURES = TABLES["features"]
MODEL_INPUT = TABLES["model_input"]
OUT_OF_FOLD_PREDICTIONS = TABLES["out_of_fold_predictions"]
PAGE_COUNTS = TABLES["page_counts"]
PREDICTIONS = TABLES["predictions"]
RAW_EVENTS = TABLES["raw_events"]
REPEATED_EVENTS = TABLES["repeated_events"]
SIMULATED_SESSIONS = TABLES["simulated_sessions"]
SIMULATED_USERS = TABLES["simulated_users"]
SNAPSHOTS = TABLES["snapshots"]
TIME_TO_LEAVE = TABLES["time_to_leave"]
USER_DAYS = TABLES["user_days"]
KEYS = CURRENT_SNAPSHOTS.columns
MALFORMED_ROW = "malformed row"  # of CSV or TSV: more or fewer values than the header has names
