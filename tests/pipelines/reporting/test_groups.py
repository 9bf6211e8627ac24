from typing import Any

import pandas as pd

from sparkify.pipelines.reporting.groups import groups, served_worse, undecided
from sparkify.pipelines.reporting.words import MINUS, SPACE

TOO_FEW = "too few to say"


def texts(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> list[str]:
    *blocks, _ = groups(group_metrics, metrics).blocks
    return [block.text.replace(SPACE, " ").replace(MINUS, "-") for block in blocks]


def test_a_group_ranked_worse_than_all_is_named_with_its_difference(found: dict[str, Any]) -> None:
    ranking, _ = texts(found["group_metrics"], found["metrics"])
    assert ranking == (
        "1 of 3 groups have too few leavers to say how they are ranked. Ranked measurably worse "
        "than all customers (AUC 0.780 (0.761 to 0.798)): level free, AUC 0.70 (0.64 to 0.75), "
        "difference -0.08, 95 % CI -0.13 to -0.03."
    )


def test_a_group_whose_interval_is_wide_is_not_named_as_worse(found: dict[str, Any]) -> None:
    wide = found["group_metrics"].assign(auc_low=[0.45, 0.77, None], auc_high=[0.9, 0.81, None])
    wide["auc_difference_high"] = [0.05, 0.02, None]
    assert served_worse(wide) == []
    assert [row["value"] for row in undecided(wide)] == ["free", "<b>F</b>"]
    ranking, _ = texts(wide, found["metrics"])
    assert ranking == (
        "2 of 3 groups have too few leavers to say how they are ranked. None of the others is "
        "ranked measurably worse than all customers (AUC 0.780 (0.761 to 0.798))."
    )


def test_a_lower_auc_within_its_interval_is_not_worse(found: dict[str, Any]) -> None:
    lower = found["group_metrics"].assign(auc_difference_high=[0.0, 0.02, None])
    assert served_worse(lower) == []


def test_a_group_is_named_for_its_forecast_only_if_that_is_measurably_off(
    found: dict[str, Any],
) -> None:
    _, level = texts(found["group_metrics"], found["metrics"])
    assert level == (
        "Measurably more or fewer left than forecast in level paid: 3.0 % forecast in the mean, "
        "3.5 % left (522 of 15,076)."
    )
    within = found["group_metrics"].assign(calibration_gap_low=[-0.003, -0.001, None])
    _, level = texts(within, found["metrics"])
    assert level == (
        "In none of the 2 groups with enough leavers is the share that left measurably different "
        "from the forecast."
    )


def test_groups_with_too_few_leavers_are_only_counted(found: dict[str, Any]) -> None:
    few = found["group_metrics"].tail(1)
    assert texts(few.astype(dict.fromkeys(few.columns[6:], float)), found["metrics"]) == [
        "1 of 1 groups have too few leavers to say how they are ranked."
    ]


def test_aucs_of_groups_have_the_digits_of_the_surest(found: dict[str, Any]) -> None:
    table = groups(found["group_metrics"], found["metrics"]).blocks[-1]
    assert [row[0] for row in table.rows] == [
        *("all customers", "level free", "level paid", "gender <b>F</b>")
    ]
    assert [str(row[5]).replace(SPACE, " ") for row in table.rows] == [
        "0.780 (0.761 to 0.798)",
        "0.701 (0.642 to 0.752)",
        "0.791 (0.770 to 0.812)",
        TOO_FEW,
    ]
    assert table.rows[-1][-1] == TOO_FEW
