from typing import Any

import pandas as pd

from sparkify.pipelines.reporting.groups import groups, served_worse
from sparkify.pipelines.reporting.words import SPACE, UNKNOWN


def test_a_group_ranked_worse_than_all_is_named(found: dict[str, Any]) -> None:
    text, level, table = groups(found["group_metrics"], found["metrics"]).blocks
    told = text.text.replace(SPACE, " ")
    assert told.startswith("Of 3 groups, 2 have enough leavers to be judged by themselves.")
    assert told.endswith("level free, AUC 0.70 (0.64 to 0.75).")
    assert "what happened for level paid: 3.0 % forecast" in level.text.replace(SPACE, " ")
    assert [row[0] for row in table.rows] == [
        *("all customers", "level free", "level paid", "gender <b>F</b>")
    ]
    assert table.rows[-1][-2:] == (UNKNOWN, UNKNOWN)


def test_where_none_is_ranked_worse_the_lowest_is_told(found: dict[str, Any]) -> None:
    others = found["group_metrics"].drop(index=0)
    assert served_worse(others, found["metrics"]) == []
    text = groups(others, found["metrics"]).blocks[0].text.replace(SPACE, " ")
    assert "the lowest AUC is that of level paid, 0.791 (0.770 to 0.812)." in text


def test_groups_with_too_few_leavers_are_not_judged(found: dict[str, Any]) -> None:
    few = found["group_metrics"].tail(1).astype({"auc": float, "auc_high": float})
    text = groups(pd.DataFrame(few), found["metrics"]).blocks[0].text
    assert text.endswith("Nothing can be said about how any of them is ranked.")
