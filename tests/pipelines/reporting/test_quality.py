from typing import Any

from sparkify.pipelines.reporting.blocks import Notice, Table, Text
from sparkify.pipelines.reporting.quality import quality
from sparkify.pipelines.reporting.words import MINUS, SPACE, UNKNOWN


def told(metrics: dict[str, Any], replaced: bool = True) -> tuple[Any, ...]:
    """Return the blocks of the second section."""
    names = ("calibration_figure", "lift_figure", "candidates_figure")
    pictures = dict.fromkeys(names, b"PNG")
    return quality(metrics, {"replaced": replaced}, (), pictures).blocks


def tables(blocks: tuple[Any, ...]) -> list[Table]:
    return [block for block in blocks if isinstance(block, Table)]


def test_each_metric_stands_beside_baselines_with_its_interval(found: dict[str, Any]) -> None:
    judged, _ = tables(told(found["metrics"]))
    names = [column.name for column in judged.columns]
    assert names[1:5] == ["All customers", "Never seen", "Base rate for all", "Most songs first"]
    rows = {row[0]: [str(cell).replace(SPACE, " ") for cell in row[1:]] for row in judged.rows}
    assert rows["Left"][:2] == ["612 of 19,876", "101 of 3,580"]
    assert rows["AUC"][:2] == ["0.780 (0.761 to 0.798)", "0.753 (0.707 to 0.796)"]
    assert rows["Precision"][:3] == ["17.2 % (15.1 to 19.3 %)"] * 2 + [UNKNOWN]


def test_customers_never_seen_of_whom_nobody_left_are_not_measured(found: dict[str, Any]) -> None:
    metrics = found["metrics"] | {"unseen_users": {"users": 33, "churned": 0, "base_rate": 0.0}}
    blocks = told(metrics)
    (row,) = (row for row in tables(blocks)[0].rows if row[0] == "AUC")
    assert row[2] == UNKNOWN
    texts = [block.text for block in blocks if isinstance(block, Text)]
    assert any("Of the 33 customers whom no model has ever learnt from, 0" in t for t in texts)


def test_few_who_left_are_warned_of(found: dict[str, Any]) -> None:
    assert not any(isinstance(block, Notice) for block in told(found["metrics"]))
    metrics = found["metrics"] | {"holdout": found["metrics"]["holdout"] | {"churned": 3}}
    (notice,) = (block for block in told(metrics) if isinstance(block, Notice))
    assert notice.text.startswith("Only 3 customers cancelled in these 10 days")


def test_the_candidate_that_was_chosen_is_marked(found: dict[str, Any]) -> None:
    _, candidates = tables(told(found["metrics"]))
    assert [(row[0], row[-1]) for row in candidates.rows] == [
        ("xgboost", "chosen"),
        ("logistic regression", ""),
    ]
    assert "stood" not in candidates.caption


def test_candidates_that_did_not_replace_the_champion_are_told_apart(
    found: dict[str, Any],
) -> None:
    _, candidates = tables(told(found["metrics"], replaced=False))
    assert candidates.caption.endswith("did not take the place of the champion that stood")


def gained(found: dict[str, Any], auc: Any, average_precision: Any) -> Any:
    """Return the block that compares the model with the rule of most songs."""
    gains = {"most_songs": {"auc": auc, "average_precision": average_precision}}
    blocks = told(found["metrics"] | {"gain_over_baselines": gains})
    place = next(i for i, block in enumerate(blocks) if isinstance(block, Table))
    return blocks[place + 1]


def test_a_model_that_beats_the_simple_rules_says_by_how_much(found: dict[str, Any]) -> None:
    block = told(found["metrics"])[2]
    assert isinstance(block, Text)
    assert block.text.replace(SPACE, " ") == (
        "By AUC, the model is measurably better than most songs first (difference 0.100, 95 % CI "
        "0.081 to 0.120). By average precision, the model is measurably better than most songs "
        "first (difference 0.065, 95 % CI 0.043 to 0.089)."
    )


def test_a_model_that_beats_no_simple_rule_is_warned_of(found: dict[str, Any]) -> None:
    wide = {"value": -0.028, "ci95": [-0.181, 0.122]}
    block = gained(found, wide, wide)
    assert isinstance(block, Notice)
    said = block.text.replace(SPACE, " ").replace(MINUS, "-")
    assert said.startswith(
        "By AUC, the model is not measurably different from most songs first (difference -0.03, "
        "95 % CI -0.18 to 0.12)."
    )
    assert said.endswith(
        "This hold-out does not show that the model ranks better than most songs first."
    )
    withheld = {"value": 0.2, "ci95": None}
    assert gained(found, withheld, withheld).text.startswith("Too few churned to compare")


def test_customers_never_seen_of_whom_too_few_left_are_not_measured(found: dict[str, Any]) -> None:
    auc = {"auc": {"value": 0.42, "ci95": None}, "recall": {"value": 0.0, "ci95": None}}
    unseen = {"users": 36, "churned": 3, "base_rate": 0.08, **auc}
    blocks = told(found["metrics"] | {"unseen_users": unseen})
    rows = {row[0]: str(row[2]).replace(SPACE, " ") for row in tables(blocks)[0].rows}
    assert rows["AUC"] == "0.420 (too few to say)"
    assert rows["Recall"] == "0.0 % (too few to say)"
    texts = [block.text for block in blocks if isinstance(block, Text)]
    assert any("3 cancelled: too few to measure the forecast" in text for text in texts)


def test_a_hold_out_of_too_few_for_intervals_is_warned_of(found: dict[str, Any]) -> None:
    holdout = found["metrics"]["holdout"] | {"churned": 3, "auc": {"value": 0.42, "ci95": None}}
    (notice,) = (
        block
        for block in told(found["metrics"] | {"holdout": holdout})
        if isinstance(block, Notice)
    )
    assert notice.text.endswith(
        "in these 10 days, too few for intervals. Do not plan by these figures."
    )
