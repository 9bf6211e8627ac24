"""The names that a column of the user's own may have."""

import re
from typing import Annotated

from pydantic import AfterValidator

from sparkify.schemas.customers import Features, UserDays
from sparkify.schemas.events import CHECKED_EVENTS
from sparkify.schemas.forecasts import (
    CANDIDATE_PREDICTIONS,
    OUT_OF_FOLD_PREDICTIONS,
    ModelInput,
    Predictions,
)
from sparkify.schemas.parameters import taken_name
from sparkify.schemas.scores import CHURN_SCORES
from sparkify.schemas.table import ColumnName

TABLES = (
    *(CHECKED_EVENTS, CANDIDATE_PREDICTIONS, OUT_OF_FOLD_PREDICTIONS),
    *(CHURN_SCORES, Predictions({})),
    *(UserDays({}, ()), Features({}, (), (), ()), ModelInput({}, (), (), ())),
)
# Columns on the way from one table to the next: of features, of models, of studies.
ON_THE_WAY = (
    *("first_day", "is_first_day", "last_event", "last_gender", "last_paid_ts", "log_opened"),
    *("inputs", "label", "weight", "moderator", "moderated", "unscaled", "weighed"),
    *("uncalibrated", "place", "total_records"),
)
# Spark's SQL reads these as something else than a column.
WORDS_OF_SQL = ("current_path", "false", "not", "null", "true")
RESERVED = {*(name for table in TABLES for name in table.columns), *ON_THE_WAY, *WORDS_OF_SQL}
# Counts of one level, probabilities of segments, and what classifiers add.
RESERVED_PATTERN = re.compile(r"(free|paid)_.*|segment_\d+|.*_(probability|margin|prediction)")


def _require_free(name: str) -> str:
    if name in RESERVED or RESERVED_PATTERN.fullmatch(name):
        raise taken_name("")
    return name


NewColumnName = Annotated[ColumnName, AfterValidator(_require_free)]
