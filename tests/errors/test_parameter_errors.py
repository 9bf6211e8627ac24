from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sparkify.errors.parameter_errors import (
    format_choice,
    format_unknown_name,
    format_value,
    validation_sentences,
)


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    share: float = Field(gt=0, lt=1)
    steps: int = Field(default=2, ge=1, multiple_of=2)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inner: Inner
    optional: Inner | None = None
    by_name: dict[Annotated[str, Field(pattern="^[a-z]+$")], Inner] = Field(default_factory=dict)
    days: tuple[int, ...] = ()
    mode: Literal["fast", "slow"] = "fast"
    start: date = Field(default=date(2018, 10, 1), ge=date(2018, 1, 1))
    even: int = 2

    @field_validator("even")
    @classmethod
    def _require_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("a multiple of 2 is needed")
        return value


INNER = {"share": 0.5}


def sentences(**values: object) -> list[str]:
    try:
        Section.model_validate({"inner": INNER, **values})
    except ValidationError as error:
        return list(validation_sentences("section", Section, error))
    return []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        (
            {"inner": {"share": 1}},
            ["section.inner.share is 1; allowed: a number above 0 and below 1."],
        ),
        (
            {"inner": {}},
            ["section.inner.share is missing; allowed: a number above 0 and below 1."],
        ),
        (
            {"inner": {**INNER, "shares": 1, "xyz": 2}},
            [
                "section.inner.shares is not a parameter; did you mean section.inner.share?",
                "section.inner.xyz is not a parameter; allowed: share, steps.",
            ],
        ),
        (
            {"optional": {**INNER, "steps": 3}},
            ["section.optional.steps is 3; allowed: an integer of at least 1 and a multiple of 2."],
        ),
        (
            {"optional": 3},
            ["section.optional is 3; allowed: a section with share, steps, or null."],
        ),
        (
            {"by_name": {"a": {"share": "x"}, "A": INNER}},
            [
                'section.by_name.a.share is "x"; allowed: a number above 0 and below 1.',
                "section.by_name.A is not an allowed name; allowed: text that matches ^[a-z]+$.",
            ],
        ),
        (
            {"days": [1, "x", 2.5]},
            [
                'section.days[1] is "x"; allowed: an integer.',
                "section.days[2] is 2.5; allowed: an integer.",
            ],
        ),
        ({"mode": "idle"}, ['section.mode is "idle"; allowed: fast, slow.']),
        (
            {"start": "2017-01-01"},
            [
                'section.start is "2017-01-01"; allowed: a date such as 2018-11-15 of at least '
                "2018-01-01."
            ],
        ),
        ({"even": 3}, ["section.even: a multiple of 2 is needed."]),
    ],
)
def test_each_wrong_parameter_is_one_sentence(
    values: dict[str, object], expected: list[str]
) -> None:
    assert sentences(**values) == expected


def test_values_are_written_as_in_yaml_and_long_ones_are_cut_off() -> None:
    assert [format_value(value) for value in (None, True, "ten", [1, 2], date(2018, 1, 2))] == [
        "null",
        "true",
        '"ten"',
        "[1, 2]",
        '"2018-01-02"',
    ]
    assert format_value("é" * 200) == '"' + "é" * 99 + "…"


def test_names_are_compared_by_their_last_part() -> None:
    known = ["numTrees", "maxDepth"]
    assert format_unknown_name("modelling.random_forest.seed", known) == (
        "modelling.random_forest.seed is not a parameter; allowed: maxDepth, numTrees."
    )
    assert format_unknown_name("modelling.random_forest.maxDept", known) == (
        "modelling.random_forest.maxDept is not a parameter; did you mean "
        "modelling.random_forest.maxDepth?"
    )


def test_a_choice_is_the_most_similar_name_or_all_of_them() -> None:
    assert format_choice("page", "NextSon", ["NextSong", "Home"]) == "a page, such as NextSong"
    assert format_choice("page", "xyz", ["NextSong", "Home"]) == "a page: NextSong, Home"
