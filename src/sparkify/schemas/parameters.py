"""Base class, common types and errors of all sections of parameters."""

import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from sparkify.schemas.table import TABLES, ColumnName
from sparkify.spark.functions import PERMILLE

# The seeds that NumPy, scikit-learn, XGBoost and Spark all accept.
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Share = Annotated[float, Field(gt=0, lt=1)]
# In a share closer to 0 or 1 than a permille, few logs would have a user.
SampleShare = Annotated[float, Field(ge=1 / PERMILLE, le=1 - 1 / PERMILLE)]

# Temporary columns of feature engineering, models and studies.
INTERMEDIATE_COLUMNS = (
    *("first_day", "is_session_start", "has_earlier_day", "last_event", "last_gender"),
    *("last_paid_ts", "last_revenue", "log_opened"),
    *("inputs", "label", "weight", "moderator", "moderated", "unscaled", "scaled"),
    *("uncalibrated", "place", "total_records"),
    *("left_on_day", "follow_up_days", "day_numbers", "risk"),
)
# Spark SQL does not read these as column names.
SQL_WORDS = ("current_path", "false", "not", "null", "true")
TABLES_OF_FEATURES = (
    *("checked_events", "user_days", "features", "model_input", "predictions"),
    *("candidate_predictions", "churn_scores"),
)
RESERVED = {*INTERMEDIATE_COLUMNS, *SQL_WORDS}.union(
    *(TABLES[name].columns for name in TABLES_OF_FEATURES)
)
# Counts of one level, probabilities of segments, and the columns that classifiers add.
RESERVED_PATTERN = re.compile(r"(free|paid)_.*|segment_\d+|.*_(probability|margin|prediction)")

Items = TypeVar("Items", bound=Sequence[object])


class Parameters(BaseModel):
    """A section of the parameters in conf/."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @property
    def named_features(self) -> dict[str, str]:
        """The features that the section names, by the dotted name of the parameter."""
        return {}

    @property
    def new_columns(self) -> dict[str, str]:
        """The columns that the section adds to the features, by the parameter's dotted name."""
        return {}


def wrong_value(name: str, value: object, allowed: str) -> PydanticCustomError:
    """Return the error for a value that a validator refuses; `allowed` says what to write instead.

    `name` is the parameter's dotted name within the model that is validated.
    """
    return PydanticCustomError(
        "wrong_value",
        "{name} is {value}; allowed: {allowed}",
        {"name": name, "value": value, "allowed": allowed},
    )


def unknown_name(name: str, names: list[str]) -> PydanticCustomError:
    """Return the error for an unknown parameter, with the existing names in its section."""
    return PydanticCustomError(
        "unknown_name", "{name} is not a parameter", {"name": name, "names": names}
    )


def reserved_name(name: str) -> PydanticCustomError:
    """Return the error for a parameter that names a new column like an existing one."""
    return PydanticCustomError("reserved_name", "{name} is a column already", {"name": name})


def _require_unique(items: Items) -> Items:
    if len(set(items)) < len(items):
        raise wrong_value("", items, "a list in which every item occurs once")
    return items


def _require_unreserved(name: str) -> str:
    if name in RESERVED or RESERVED_PATTERN.fullmatch(name):
        raise reserved_name("")
    return name


Unique = AfterValidator(_require_unique)
NewColumnName = Annotated[ColumnName, AfterValidator(_require_unreserved)]
