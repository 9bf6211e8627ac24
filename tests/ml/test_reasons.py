from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sparkify.ml.contributions import LinearContributions
from sparkify.ml.reasons import Explanation, FeatureText, RateText, SegmentText, describe_rate

THUMBS = RateText(
    "thumbs_down_per_song",
    *("thumbs_down", "next_song", 0.011),
    *("thumbs down on {rate:.1%} of songs, average {average:.1%}", "songs"),
    *(("many thumbs down", "few thumbs down"), None, 10.0),
)
ADVERTS = RateText(
    "adverts_per_song",
    *("adverts", "next_song", 0.06),
    *("adverts after {rate:.1%} of songs, average {average:.1%}", "songs"),
    *(("many adverts", "few adverts"), None, 10.0),
)
# Most customers; those with many adverts; those with many thumbs down.
SEGMENTS = SegmentText(
    *([THUMBS, ADVERTS], ["segment_2", "segment_3"]),
    *([0.8, 0.1, 0.1], [[0.009, 0.05], [0.009, 0.16], [0.03, 0.05]]),
)
AGE = FeatureText("log_age", "age", "registered {value:.0f} days ago", "registered today", "age")


@pytest.mark.parametrize(
    ("thumbs_down", "songs", "text"),
    [
        (41, 1_000, "thumbs down on 4.1 % of songs, average 1.1 %"),
        (0, 212, "thumbs down on 0.0 % of songs, average 1.1 %"),
        (1, 10, "thumbs down on 10.0 % of songs, average 1.1 %"),
        (0, 3, "too few songs to tell (3)"),
        (0, 0, "no songs"),
    ],
)
def test_a_rate_with_enough_history_is_compared_with_the_average(
    thumbs_down: float, songs: float, text: str
) -> None:
    assert THUMBS.describe({"thumbs_down": thumbs_down, "next_song": songs}).text == text


@pytest.mark.parametrize(
    ("thumbs_down", "adverts", "songs", "posterior", "text"),
    [
        (9, 160, 1_000, (1, 0), "adverts after 16.0 % of songs, average 6.0 %"),
        (30, 50, 1_000, (0, 1), "thumbs down on 3.0 % of songs, average 1.1 %"),
        (8, 49, 1_000, (0, 0), "adverts after 4.9 % of songs, average 6.0 %"),
        # Most likely in the first segment, but less than its share.
        (0, 6, 50, (0.4, 0.05), "adverts after 12.0 % of songs, average 6.0 %"),
        (0, 0, 0, (0.1, 0.1), "no songs"),
    ],
)
def test_a_segment_is_described_by_the_rate_with_the_strongest_evidence(
    thumbs_down: float, adverts: float, songs: float, posterior: tuple[float, float], text: str
) -> None:
    probabilities = dict(zip(SEGMENTS.probability_columns, posterior, strict=True))
    customer = {"thumbs_down": thumbs_down, "adverts": adverts, "next_song": songs, **probabilities}
    assert SEGMENTS.describe(customer).text == text


def test_all_segments_together_are_one_reason() -> None:
    linear = LinearContributions(0.0, [1.0, -2.0, 0.5], [0.0] * 3, [1.0] * 3, None)
    features = {"thumbs_down": [30.0], "adverts": [50.0], "next_song": [1_000.0], "age": [2.0]}
    probabilities = {"segment_2": [0.0], "segment_3": [1.0]}
    for_churning, against = Explanation(linear, [SEGMENTS, SEGMENTS, AGE], 2, 0).list_reasons(
        np.array([[3.0, 1.0, -1.0]]), pd.DataFrame(features | probabilities)
    )
    text = "thumbs down on 3.0 % of songs, average 1.1 %"
    assert for_churning == [
        [
            {
                **{"input": "thumbs_down_per_song", "label": "many thumbs down"},
                **{"reason": text, "contribution": 1.0},
            }
        ]
    ]
    assert [reason["contribution"] for reason in against[0]] == [-0.5]


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.0, "hears adverts not at all (0.0 %)"),
        (0.0008, "hears adverts far less than a fifth as often as average (0.1 %)"),
        (0.0033, "hears adverts a third as often as average (0.3 %)"),
        (0.0051, "hears adverts half as often as average (0.5 %)"),
        (0.008, "hears adverts less often than average (0.8 %)"),
        (0.0101, "hears adverts about as often as average (1.0 %)"),
        (0.014, "hears adverts 1.4 times as often as average (1.4 %)"),
        (0.0695, "hears adverts 7 times as often as average (7.0 %)"),
        (0.2, "hears adverts more than 10 times as often as average (20.0 %)"),
    ],
)
def test_a_rate_is_compared_with_the_average_in_words(rate: float, text: str) -> None:
    assert describe_rate("hears adverts {compared} ({rate:.1%})", rate, 0.01) == text


def test_a_rate_of_another_level_than_the_customers_is_marked() -> None:
    free = replace(THUMBS, template="gives thumbs down {compared}", level="free")
    songs = {"thumbs_down": 22.0, "next_song": 1_000.0}
    paying = free.describe(songs | {"level": "paid"})
    assert paying.text == "gives thumbs down 2.0 times as often as average while on the free plan"
    assert paying.label == "many thumbs down"
    now_free = free.describe(songs | {"thumbs_down": 1.0, "level": "free"})
    assert now_free.text == "gives thumbs down far less than a fifth as often as average"
    assert now_free.label == "few thumbs down"


def test_an_unstated_input_is_no_reason_and_does_not_take_a_place() -> None:
    linear = LinearContributions(0.0, [1.0, -2.0, 0.5], [0.0] * 3, [1.0] * 3, None)
    texts = [FeatureText(name, name, name, name, name) for name in ("a", "b", "c")]
    explanation = Explanation(linear, texts, 1, 0, unstated={"a"})
    inputs = np.array([[3.0, 0.0, 1.0]])
    for_churning, _ = explanation.list_reasons(inputs, pd.DataFrame(inputs, columns=list("abc")))
    assert [reason["input"] for reason in for_churning[0]] == ["c"]


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (12.3, "registered 12 days ago"),
        (1.2, "registered 1 day ago"),
        (11.2, "registered 11 days ago"),
        (0.4, "registered today"),
    ],
)
def test_a_feature_is_described_by_its_value(days: float, text: str) -> None:
    assert AGE.describe({"age": days}).text == text


def test_the_strongest_reasons_come_first_and_zero_is_not_a_reason() -> None:
    names = ["a", "b", "c", "d"]
    texts = [FeatureText(name, name, name + " {value:.0f}", "no " + name, name) for name in names]
    linear = LinearContributions(0.0, [1.0, 1.0, 1.0, 1.0], [0.0] * 4, [1.0] * 4, None)
    inputs = np.array([[1.0, 3.0, -2.0, 2.0], [0.0, 0.0, 0.0, -1.0]])
    for_churning, against = Explanation(linear, texts, 2, 0).list_reasons(
        inputs, pd.DataFrame(inputs, columns=names)
    )
    assert [[reason["reason"] for reason in reasons] for reasons in for_churning] == [
        ["b 3", "d 2"],
        [],
    ]
    assert against == [
        [{"input": "c", "label": "c", "reason": "c -2", "contribution": -2.0}],
        [{"input": "d", "label": "d", "reason": "d -1", "contribution": -1.0}],
    ]


def test_a_contribution_far_below_the_strongest_is_not_a_reason() -> None:
    texts = [FeatureText(name, name, name, name, name) for name in ("a", "b", "c")]
    linear = LinearContributions(0.0, [1.0, 1.0, 1.0], [0.0] * 3, [1.0] * 3, None)
    inputs = np.array([[2.0, 0.2, 0.25]])
    for_churning, _ = Explanation(linear, texts, 3, 0.1).list_reasons(
        inputs, pd.DataFrame(inputs, columns=["a", "b", "c"])
    )
    assert [reason["input"] for reason in for_churning[0]] == ["a", "c"]
