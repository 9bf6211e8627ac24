"""Parameters that define a single input of the model."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from sparkify.schemas.parameters import Parameters, wrong_value
from sparkify.schemas.table import ColumnName

LOG_PREFIX = "log_"  # of the column with a feature's logarithm


class Rate(Parameters):
    """An input: `count` / `per`, shrunken as if `prior` more of `per` had the average rate.

    For reasons, `text` is a template with the customer's {rate}, the average as {average} and how
    they compare as {compared}; `unit` is the plural noun for what the denominator counts. `more`
    and `less` are labels of customers above and below the average.
    """

    count: ColumnName
    per: ColumnName
    prior: float = Field(gt=0)
    group: str
    text: str | None = None
    unit: str | None = None
    more: str | None = None
    less: str | None = None

    @field_validator("text")
    @classmethod
    def _require_template(cls, text: str | None) -> str | None:
        return _check_template(text, "rate", "average", "compared")


class Plain(Parameters):
    """An input: a feature x, or ln(1 + x) with `log`.

    For reasons, `text` is a template with x as {value}; `text_at_zero` is used if x rounds to 0.
    `label` is what reasons of many customers are counted by. Without `is_reason` the input is
    never stated as a reason.
    """

    group: str
    log: bool = False
    text: str | None = None
    text_at_zero: str | None = None
    label: str | None = None
    is_reason: bool = True

    @field_validator("text", "text_at_zero")
    @classmethod
    def _require_template(cls, text: str | None) -> str | None:
        return _check_template(text, "value")


def _check_template(text: str | None, *names: str) -> str | None:
    """Check that a template has only these fields, and return it."""
    try:
        (text or "").format(**dict.fromkeys(names, 0.5))
    except (IndexError, KeyError, ValueError) as error:
        fields = ", ".join(f"{{{name}}}" for name in names)
        raise wrong_value("", text, f"a text whose only fields are {fields}") from error
    return text


def list_rate_features(rates: Mapping[str, Rate], prefix: str) -> dict[str, str]:
    """List the features that rates are computed from, by the parameter that names them."""
    return {
        f"{prefix}.{name}.{part}": feature
        for name, rate in rates.items()
        for part, feature in (("count", rate.count), ("per", rate.per))
    }
