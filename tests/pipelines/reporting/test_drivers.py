from typing import Any

import pandas as pd

from sparkify.pipelines.reporting.drivers import drivers
from sparkify.pipelines.reporting.words import MINUS, SPACE, UNKNOWN

ALIKE = pd.DataFrame(columns=["segment", "share", "churned"])
SEGMENTS = pd.DataFrame(
    {
        "segment": ["1", "2", "all"],
        "share": [0.903, 0.0971, 1.0],
        "churned": [0.031, 0.124, 0.0412],
        "thumbs_up_per_song": [0.0521, 0.049, 0.0512],
        "adverts_per_free_song": [0.081, 0.1614, 0.0898],
        "thumbs_down_per_free_song": [0.0101, 0.0304, 0.0121],
        "downgrades_per_paid_song": [0.011, 0.018, 0.0119],
    }
)


def drawn(
    weights: pd.DataFrame, settings: dict[str, Any], segments: pd.DataFrame = ALIKE
) -> tuple[Any, ...]:
    told = drivers(weights, segments, settings["inputs"], settings["feature_engineering"], b"PNG")
    return told.blocks


def table_of(weights: pd.DataFrame, settings: dict[str, Any]) -> Any:
    return drawn(weights, settings)[-1]


def test_an_input_has_one_row_with_its_weight_and_that_of_its_product(
    settings: dict[str, Any],
) -> None:
    weights = pd.DataFrame(
        {
            "feature": ["log_observed_days", "songs_per_day", "songs_per_day, is_paid"],
            "weight": [0.2512, -0.0712, 0.031],
            "kind": "coefficient",
        }
    )
    table = table_of(weights, settings)
    assert [column.name for column in table.columns] == [
        *("Input", "Weight", "More times is paid", "Meaning")
    ]
    assert table.rows == (
        ("observed days", "0.25", UNKNOWN, "Days in which events could be seen; logarithm"),
        (
            *("songs per day", f"{MINUS}0.071", "0.031"),
            "Events on page NextSong per days in which events could be seen, with 2 more of these "
            "at everybody's rate",
        ),
    )


def test_importances_have_no_direction_and_no_product(settings: dict[str, Any]) -> None:
    weights = pd.DataFrame({"feature": ["is_paid"], "weight": [0.7], "kind": "importance"})
    text, pictures, table = drawn(weights, settings)
    assert text.text.startswith("The model looks at 1 inputs, ")
    assert "it has no direction" in text.text
    assert pictures.items[0].alt == "The weights of the inputs, the heaviest on top: is paid 0.70."
    assert len(table.columns) == 3


def test_without_inputs_of_its_own_a_model_looks_at_features(settings: dict[str, Any]) -> None:
    bare = settings["inputs"].model_copy(update={"plain": None, "rates": {}, "moderator": None})
    weights = pd.DataFrame({"feature": ["log_sessions"], "weight": [0.7], "kind": "importance"})
    table = table_of(weights, {**settings, "inputs": bare})
    assert table.rows == (("sessions", "0.70", "Sessions; logarithm"),)


def test_segments_are_known_by_the_rates_that_are_furthest_from_everybody_s(
    settings: dict[str, Any],
) -> None:
    weights = pd.DataFrame({"feature": ["segment_2"], "weight": [0.7], "kind": "importance"})
    *_, inputs, text, segments = drawn(weights, settings, SEGMENTS)
    assert inputs.rows == (("segment 2", "0.70", "Probability of segment 2"),)
    assert "without looking at who left" in text.text
    assert segments.rows == (
        (
            *("1", f"90{SPACE}%", f"3.1{SPACE}%"),
            f"thumbs down on 1.0{SPACE}% of songs on the free level, others 1.2{SPACE}%; "
            f"adverts after 8.1{SPACE}% of songs on the free level, others 9.0{SPACE}%; "
            f"saw the downgrade page after 1.1{SPACE}% of songs on the paid level, "
            f"others 1.2{SPACE}%",
        ),
        (
            *("2", f"9.7{SPACE}%", f"12{SPACE}%"),
            f"thumbs down on 3.0{SPACE}% of songs on the free level, others 1.2{SPACE}%; "
            f"adverts after 16.1{SPACE}% of songs on the free level, others 9.0{SPACE}%; "
            f"saw the downgrade page after 1.8{SPACE}% of songs on the paid level, "
            f"others 1.2{SPACE}%",
        ),
    )


def test_a_rate_without_words_is_told_by_its_name(settings: dict[str, Any]) -> None:
    wordless = settings["inputs"].model_copy(update={"segments": None})
    weights = pd.DataFrame({"feature": ["segment_2"], "weight": [0.7], "kind": "importance"})
    *_, segments = drawn(weights, {**settings, "inputs": wordless}, SEGMENTS)
    assert segments.rows[1][-1].startswith("thumbs down per free song: 0.0304, others 0.0121; ")
