from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("seed", -1, "is -1; allowed: an integer of at least 0 and at most 4,294,967,295."),
        (
            "seed",
            4294967296,
            "is 4294967296; allowed: an integer of at least 0 and at most 4,294,967,295.",
        ),
        ("folds", 1, "is 1; allowed: an integer of at least 2."),
        ("folds", "ten", 'is "ten"; allowed: an integer of at least 2.'),
        ("folds", None, "is null; allowed: an integer of at least 2."),
        ("folds", [2, 3], "is [2, 3]; allowed: an integer of at least 2."),
        ("fold", 10, "is not a parameter; did you mean modelling.folds?"),
        (
            "held_out_user_share",
            0.0004,
            "is 0.0004; allowed: a number of at least 0.001 and at most 0.999.",
        ),
        (
            "held_out_user_share",
            0.9996,
            "is 0.9996; allowed: a number of at least 0.001 and at most 0.999.",
        ),
        ("selection", "auc", 'is "auc"; allowed: average_precision, log_loss.'),
        (
            "candidates",
            {},
            "is {}; allowed: settings for at least one of logistic_regression, random_forest,"
            " gradient_boosted_trees, xgboost.",
        ),
        (
            "candidates",
            {"xgboost": None},
            'is {"xgboost": null}; allowed: settings for at least one of logistic_regression,'
            " random_forest, gradient_boosted_trees, xgboost.",
        ),
        ("candidates.xgbost", {}, "is not a parameter; did you mean modelling.candidates.xgboost?"),
        (
            "candidates.xgboost.max_dept",
            [2],
            "is not a parameter; did you mean modelling.candidates.xgboost.max_depth?",
        ),
        (
            "candidates.xgboost.max_depth",
            [],
            "is []; allowed: a list with at least one item, each a number.",
        ),
        (
            "candidates.xgboost.max_depth",
            2,
            "is 2; allowed: a list with at least one item, each a number.",
        ),
        ("candidates.xgboost.max_depth", [2, 2.5], "is [2, 2.5]; allowed: a list of integers."),
        ("candidates.xgboost.max_depth", ["2"], '[0] is "2"; allowed: a number.'),
        ("candidates.random_forest.numTrees", [True], "[0] is true; allowed: a number."),
        (
            "candidates.random_forest.maxDepht",
            [2],
            "is not a parameter; did you mean modelling.candidates.random_forest.maxDepth?",
        ),
    ],
)
def test_an_invalid_value_is_reported_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, message: str
) -> None:
    place = message if message.startswith("[") else f" {message}"
    assert refusals(f"modelling.{name}", value) == [f"modelling.{name}{place}"]
