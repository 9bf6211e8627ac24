"""Parameters that define a single input of the model."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from sparkify.schemas.parameters import Parameters, wrong_value
from sparkify.schemas.table import ColumnName

LOG_PREFIX = "log_"  # of the column with a feature's logarithm


class Rate(Parameters):
    """An input: a feature divided by another, shrunken as if `prior` more had been observed.

    For reasons, `words` is a template with the customer's {rate} and the average, {others}, and
    `of` the plural noun for what the denominator counts.
    """

    count: ColumnName
    per: ColumnName
    prior: float = Field(gt=0)
    group: str
    words: str | None = None
    of: str | None = None

    @field_validator("words")
    @classmethod
    def _require_template(cls, words: str | None) -> str | None:
        return _check_template(words, "rate", "others")


class Plain(Parameters):
    """An input: a feature x, or ln(1 + x) with `log`.

    For reasons, `words` is a template with its {value}, and `at_zero` the one where that rounds
    to 0.
    """

    group: str
    log: bool = False
    words: str | None = None
    at_zero: str | None = None

    @field_validator("words", "at_zero")
    @classmethod
    def _require_template(cls, words: str | None) -> str | None:
        return _check_template(words, "value")


def _check_template(words: str | None, *names: str) -> str | None:
    """Return a template, after a check that it has no other fields than these."""
    try:
        (words or "").format(**dict.fromkeys(names, 0.5))
    except (IndexError, KeyError, ValueError) as error:
        fields = ", ".join(f"{{{name}}}" for name in names)
        raise wrong_value("", words, f"a text whose only fields are {fields}") from error
    return words


def list_rate_features(rates: Mapping[str, Rate], place: str) -> dict[str, str]:
    """Return the features that rates are computed from, by the parameter that names them."""
    return {
        f"{place}.{name}.{part}": feature
        for name, rate in rates.items()
        for part, feature in (("count", rate.count), ("per", rate.per))
    }
