import numpy as np
import pandas as pd
import pytest

from sparkify.ml.contributions import Linear
from sparkify.ml.reasons import Explanation, PlainWords, RateWords, SegmentWords

THUMBS = RateWords(
    "thumbs_down_per_song",
    *("thumbs_down", "next_song", 0.011),
    *("thumbs down on {rate:.1%} of songs, others {others:.1%}", "songs", 10.0),
)
ADVERTS = RateWords(
    "adverts_per_song",
    *("adverts", "next_song", 0.06),
    *("adverts after {rate:.1%} of songs, others {others:.1%}", "songs", 10.0),
)
# Most customers; those with many adverts; those with many thumbs down.
SEGMENTS = SegmentWords(
    *([THUMBS, ADVERTS], ["segment_2", "segment_3"]),
    *([0.8, 0.1, 0.1], [[0.009, 0.05], [0.009, 0.16], [0.03, 0.05]]),
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
    assert THUMBS.said({"thumbs_down": thumbs_down, "next_song": songs}).text == said


@pytest.mark.parametrize(
    ("thumbs_down", "adverts", "songs", "of_segments", "said"),
    [
        (9, 160, 1_000, (1, 0), "adverts after 16.0 % of songs, others 6.0 %"),
        (30, 50, 1_000, (0, 1), "thumbs down on 3.0 % of songs, others 1.1 %"),
        (8, 49, 1_000, (0, 0), "adverts after 4.9 % of songs, others 6.0 %"),
        # Most likely one of the most, but less so than anybody.
        (0, 6, 50, (0.4, 0.05), "adverts after 12.0 % of songs, others 6.0 %"),
        (0, 0, 0, (0.1, 0.1), "no songs"),
    ],
)
def test_a_segment_is_said_by_the_rate_that_shows_it_most(
    thumbs_down: float, adverts: float, songs: float, of_segments: tuple[float, float], said: str
) -> None:
    probabilities = dict(zip(SEGMENTS.probabilities, of_segments, strict=True))
    customer = {"thumbs_down": thumbs_down, "adverts": adverts, "next_song": songs, **probabilities}
    assert SEGMENTS.said(customer).text == said


def test_all_segments_together_are_one_reason() -> None:
    linear = Linear(0.0, [1.0, -2.0, 0.5], [0.0] * 3, [1.0] * 3, None)
    features = {"thumbs_down": [30.0], "adverts": [50.0], "next_song": [1_000.0], "age": [2.0]}
    probabilities = {"segment_2": [0.0], "segment_3": [1.0]}
    told_for, against = Explanation(linear, [SEGMENTS, SEGMENTS, AGE], 2, 0).reasons(
        np.array([[3.0, 1.0, -1.0]]), pd.DataFrame(features | probabilities)
    )
    said = "thumbs down on 3.0 % of songs, others 1.1 %"
    assert told_for == [[{"input": "thumbs_down_per_song", "reason": said, "contribution": 1.0}]]
    assert [reason["contribution"] for reason in against[0]] == [-0.5]


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
    assert AGE.said({"age": days}).text == said


def test_the_strongest_come_first_and_nothing_that_adds_nothing() -> None:
    names = ["a", "b", "c", "d"]
    words = [PlainWords(name, name, name + " {value:.0f}", "no " + name) for name in names]
    linear = Linear(0.0, [1.0, 1.0, 1.0, 1.0], [0.0] * 4, [1.0] * 4, None)
    inputs = np.array([[1.0, 3.0, -2.0, 2.0], [0.0, 0.0, 0.0, -1.0]])
    told_for, against = Explanation(linear, words, 2, 0).reasons(
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
    told_for, _ = Explanation(linear, words, 3, 0.1).reasons(
        inputs, pd.DataFrame(inputs, columns=["a", "b", "c"])
    )
    assert [reason["input"] for reason in told_for[0]] == ["a", "c"]
