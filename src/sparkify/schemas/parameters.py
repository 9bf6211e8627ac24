"""What all sections of parameters share: their base class, common types and errors."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from sparkify.spark.functions import PERMILLE

# The seeds that NumPy, scikit-learn, XGBoost and Spark all take.
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Share = Annotated[float, Field(gt=0, lt=1)]
# In a share closer to 0 or 1 than a permille, few logs would have a user.
SampleShare = Annotated[float, Field(ge=1 / PERMILLE, le=1 - 1 / PERMILLE)]

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
    """Return the error for a value that a validator refuses.

    Args:
        name: the parameter, by its dotted name within the model that is validated.
        value: the value given.
        allowed: what is allowed instead.
    """
    return PydanticCustomError(
        "wrong_value",
        "{name} is {value}; allowed: {allowed}",
        {"name": name, "value": value, "allowed": allowed},
    )


def unknown_name(name: str, names: list[str]) -> PydanticCustomError:
    """Return the error for a parameter that does not exist, with the names that do beside it."""
    return PydanticCustomError(
        "unknown_name", "{name} is no parameter", {"name": name, "names": names}
    )


def taken_name(name: str) -> PydanticCustomError:
    """Return the error for a parameter whose name is to be a column and is one already."""
    return PydanticCustomError("taken_name", "{name} is a column already", {"name": name})


def _require_unique(items: Items) -> Items:
    if len(set(items)) < len(items):
        raise wrong_value("", items, "a list in which every item stands once")
    return items


Unique = AfterValidator(_require_unique)
