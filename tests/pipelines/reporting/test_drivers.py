from typing import Any

import pandas as pd

from sparkify.pipelines.reporting.drivers import drivers
from sparkify.pipelines.reporting.words import MINUS, UNKNOWN


def table_of(weights: pd.DataFrame, settings: dict[str, Any]) -> Any:
    told = drivers(weights, settings["inputs"], settings["feature_engineering"], b"PNG")
    return told.blocks[-1]


def test_an_input_has_one_row_with_its_weight_and_that_of_its_product(
    settings: dict[str, Any],
) -> None:
    weights = pd.DataFrame(
        {
            "feature": ["log_observed_days", "thumbs_up_per_song", "thumbs_up_per_song, is_paid"],
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
            *("thumbs up per song", f"{MINUS}0.071", "0.031"),
            "Events on page Thumbs Up per events on page NextSong, with 100 more of these at "
            "everybody's rate",
        ),
    )


def test_importances_have_no_direction_and_no_product(settings: dict[str, Any]) -> None:
    weights = pd.DataFrame({"feature": ["is_paid"], "weight": [0.7], "kind": "importance"})
    told = drivers(weights, settings["inputs"], settings["feature_engineering"], b"PNG")
    text, pictures, table = told.blocks
    assert "it has no direction" in text.text
    assert pictures.items[0].alt == "The weights of the inputs, the heaviest on top: is paid 0.70."
    assert len(table.columns) == 3


def test_without_inputs_of_its_own_a_model_looks_at_features(settings: dict[str, Any]) -> None:
    bare = settings["inputs"].model_copy(update={"plain": None, "rates": {}, "moderator": None})
    weights = pd.DataFrame({"feature": ["log_sessions"], "weight": [0.7], "kind": "importance"})
    table = table_of(weights, {**settings, "inputs": bare})
    assert table.rows == (("sessions", "0.70", "Sessions; logarithm"),)
