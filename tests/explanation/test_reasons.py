import numpy as np
import pandas as pd
import pytest

from sparkify.explanation.contributions import Linear
from sparkify.explanation.reasons import Explanation, PlainWords, RateWords

THUMBS = RateWords(
    "thumbs_down_per_song",
    *("thumbs_down", "next_song", 0.011),
    *("thumbs down on {rate:.1%} of songs, others {others:.1%}", "songs", 10.0),
)
AGE = PlainWords("log_age", "age", "registered {value:.0f} days ago", "registered today")


@pytest.mark.parametrize(
    ("thumbs_down", "songs", "said"),
    [
        (41, 1_000, "thumbs down on 4.1 % of songs, others 1.1 %"),
        (0, 212, "thumbs down on 0.0 % of songs, others 1.1 %"),
        (1, 10, "thumbs down on 10.0 % of songs, others 1.1 %"),
        (0, 3, "too few songs to tell (3)"),
        (0, 0, "no songs"),
    ],
)
def test_a_rate_is_said_beside_that_of_others_once_it_is_known(
    thumbs_down: float, songs: float, said: str
) -> None:
    assert THUMBS.said({"thumbs_down": thumbs_down, "next_song": songs}) == said


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (12.3, "registered 12 days ago"),
        (1.2, "registered 1 day ago"),
        (11.2, "registered 11 days ago"),
        (0.4, "registered today"),
    ],
)
def test_a_feature_is_said_as_it_is(days: float, said: str) -> None:
    assert AGE.said({"age": days}) == said


def test_the_strongest_come_first_and_nothing_that_adds_nothing() -> None:
    names = ["a", "b", "c", "d"]
    words = [PlainWords(name, name, name + " {value:.0f}", "no " + name) for name in names]
    linear = Linear(0.0, [1.0, 1.0, 1.0, 1.0], [0.0] * 4, [1.0] * 4, None)
    inputs = np.array([[1.0, 3.0, -2.0, 2.0], [0.0, 0.0, 0.0, -1.0]])
    told_for, against = Explanation([linear], words, 2, 0).reasons(
        inputs, pd.DataFrame(inputs, columns=names)
    )
    assert [[reason["reason"] for reason in of_one] for of_one in told_for] == [["b 3", "d 2"], []]
    assert against == [
        [{"input": "c", "reason": "c -2", "contribution": -2.0}],
        [{"input": "d", "reason": "d -1", "contribution": -1.0}],
    ]


def test_what_is_weak_beside_the_strongest_is_no_reason() -> None:
    words = [PlainWords(name, name, name, name) for name in ("a", "b", "c")]
    linear = Linear(0.0, [1.0, 1.0, 1.0], [0.0] * 3, [1.0] * 3, None)
    inputs = np.array([[2.0, 0.2, 0.25]])
    told_for, _ = Explanation([linear], words, 3, 0.1).reasons(
        inputs, pd.DataFrame(inputs, columns=["a", "b", "c"])
    )
    assert [reason["input"] for reason in told_for[0]] == ["a", "c"]
