from typing import Any

import pandas as pd

from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.reporting.context import (
    describe_drivers,
    describe_groups,
    describe_reasons,
    list_parameters,
)
from sparkify.pipelines.reporting.number_format import SPACE

NO_SEGMENTS = pd.DataFrame(columns=["segment", "name", "share", "churned"])
SEGMENTS = pd.DataFrame(
    {
        "segment": ["1", "2", "all"],
        "name": ["ordinary", "many adverts", "all"],
        "share": [0.903, 0.0971, 1.0],
        "churned": [0.031, 0.124, 0.0412],
        "thumbs_up_per_song": [0.0521, 0.049, 0.0512],
        "adverts_per_free_song": [0.081, 0.1614, 0.0898],
        "thumbs_down_per_free_song": [0.0101, 0.0304, 0.0121],
        "downgrades_per_paid_song": [0.011, 0.018, 0.0119],
    }
)


def drivers(settings: dict[str, Any], weights: pd.DataFrame) -> dict[str, Any]:
    return describe_drivers(
        weights, NO_SEGMENTS, settings["inputs"], settings["feature_engineering"]
    )


def test_the_weight_of_a_product_is_in_the_row_of_its_input(settings: dict[str, Any]) -> None:
    weights = pd.DataFrame(
        {
            "feature": ["log_observed_days", "songs_per_day", "songs_per_day, is_paid"],
            "weight": [0.2512, -0.0712, 0.031],
            "kind": "coefficient",
        }
    )
    described = drivers(settings, weights)
    assert described["moderators"] == ["is_paid"]
    assert described["input_count"] == 2
    assert described["top_inputs"][-1] == ("songs per day, times is paid", 0.031)
    observed, songs = described["input_rows"]
    assert (observed["name"], observed["weight"]) == ("observed_days", 0.2512)
    assert observed["meaning"] == "Days in which events could be seen; logarithm"
    assert pd.isna(observed["is_paid"])
    assert (songs["name"], songs["weight"], songs["is_paid"]) == ("songs_per_day", -0.0712, 0.031)


def test_without_configured_inputs_a_model_uses_the_logarithms_of_features(
    settings: dict[str, Any],
) -> None:
    changed = {"plain": None, "rates": {}, "moderator": None}
    bare = {**settings, "inputs": settings["inputs"].model_copy(update=changed)}
    weights = pd.DataFrame({"feature": ["log_sessions"], "weight": [0.7], "kind": "importance"})
    (row,) = drivers(bare, weights)["input_rows"]
    assert (row["name"], row["meaning"]) == ("sessions", "Sessions; logarithm")


def segment_rates(datasets: dict[str, Any], inputs: InputParameters) -> list[str]:
    rows = describe_reasons(datasets["score_summary"], SEGMENTS, inputs, {})["segment_rows"]
    assert [row["segment"] for row in rows] == ["many adverts", "ordinary"]
    return [row["rates"].replace(SPACE, " ") for row in rows]


def test_segments_have_the_three_rates_furthest_from_the_average(
    settings: dict[str, Any], datasets: dict[str, Any]
) -> None:
    assert segment_rates(datasets, settings["inputs"]) == [
        "gives thumbs down 2.5 times as often as average while on the free plan (3.0 % of songs, "
        "average 1.2 %); hears adverts 1.8 times as often as average while on the free plan "
        "(16.1 % of songs, average 9.0 %); opens the downgrade page 1.5 times as often as average "
        "while on the paid plan (1.8 % of songs, average 1.2 %)",
        "gives thumbs down less often than average while on the free plan (1.0 % of songs, average "
        "1.2 %); hears adverts about as often as average while on the free plan (8.1 % of songs, "
        "average 9.0 %); opens the downgrade page about as often as average while on the paid plan "
        "(1.1 % of songs, average 1.2 %)",
    ]


def test_a_rate_without_words_has_its_name(
    settings: dict[str, Any], datasets: dict[str, Any]
) -> None:
    wordless = settings["inputs"].model_copy(update={"segments": None})
    first, _ = segment_rates(datasets, wordless)
    assert first.startswith("thumbs down per free song: 0.0304, average 0.0121; ")


def test_a_lower_auc_within_its_interval_is_not_worse(datasets: dict[str, Any]) -> None:
    lower = datasets["group_metrics"].assign(auc_difference_high=[0.0, 0.02, None])
    assert describe_groups(lower, datasets["metrics"])["ranked_worse"] == []


def test_a_section_without_subsections_is_one_row() -> None:
    parameters = {
        "modelling": {"seed": 7, "decision": {"threshold": "f1", "contact_cost": 1}},
        "reporting": {"contacts_shown": 15},
    }
    assert list_parameters(parameters) == [
        ("modelling.seed", "7"),
        ("modelling.decision", "threshold: f1, contact_cost: 1"),
        ("reporting", "contacts_shown: 15"),
    ]
