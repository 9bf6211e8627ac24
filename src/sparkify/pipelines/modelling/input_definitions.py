"""How a single input is made of features."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from sparkify.schemas.parameters import Parameters, wrong_value
from sparkify.schemas.table import ColumnName

LOG = "log_"  # prefix of the logarithm of a feature


class Rate(Parameters):
    """An input: a feature per another, shrunk as if `prior` more of those had been seen.

    For people, `words` says the customer's {rate} and that of the {others}, `of` what it is
    counted on.
    """

    count: ColumnName
    per: ColumnName
    prior: float = Field(gt=0)
    group: str
    words: str | None = None
    of: str | None = None

    @field_validator("words")
    @classmethod
    def _can_be_said(cls, words: str | None) -> str | None:
        return _template(words, "rate", "others")


class Plain(Parameters):
    """An input: a feature as it is, or the logarithm of one more than it.

    For people, `words` says its {value}, and `at_zero` is said where that rounds to 0.
    """

    group: str
    log: bool = False
    words: str | None = None
    at_zero: str | None = None

    @field_validator("words", "at_zero")
    @classmethod
    def _can_be_said(cls, words: str | None) -> str | None:
        return _template(words, "value")


def _template(words: str | None, *names: str) -> str | None:
    """Return a template, if numbers can be put into it by these names."""
    try:
        (words or "").format(**dict.fromkeys(names, 0.5))
    except (IndexError, KeyError, ValueError) as error:
        fields = ", ".join(f"{{{name}}}" for name in names)
        raise wrong_value("", words, f"a text whose only fields are {fields}") from error
    return words


def rate_features(rates: Mapping[str, Rate], place: str) -> dict[str, str]:
    """Return the features that rates are made of, by the parameter that names them."""
    return {
        f"{place}.{name}.{part}": feature
        for name, rate in rates.items()
        for part, feature in (("count", rate.count), ("per", rate.per))
    }
