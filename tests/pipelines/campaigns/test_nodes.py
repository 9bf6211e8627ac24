import json
from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.campaigns import nodes
from sparkify.pipelines.campaigns.effects import COLUMNS
from sparkify.pipelines.campaigns.parameters import CampaignParameters
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters

# Users by first day, last day, and day of the cancellation. The log ends before 2018-11-15.
DAYS = [
    ("a", "2018-10-01", 0),
    ("a", "2018-11-14", 0),
    ("b", "2018-10-20", 0),
    ("b", "2018-11-05", 1),
    ("c", "2018-10-25", 0),
    ("c", "2018-11-12", 1),
    ("d", "2018-10-30", 0),
]


@pytest.fixture(scope="module")
def user_days(spark: SparkSession) -> DataFrame:
    rows = [
        (user, date.fromisoformat(day), "free", gone, f"{day} 23:59:58") for user, day, gone in DAYS
    ]
    schema = "user_id string, day date, level string, cancellations bigint, last_ts string"
    return spark.createDataFrame(rows, schema).withColumns(
        {
            "last_ts": F.col("last_ts").cast("timestamp"),
            "ends_cancelled": F.col("cancellations") > 0,
        }
    )


def listed(cutoff: str, **groups: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": list(groups),
            "cutoff": date.fromisoformat(cutoff),
            "group": list(groups.values()),
            "probability": 0.1,
            "level": "free",
            "segment": "segment_1",
            "expected_gain": 0.8,
        }
    )


HISTORY = {
    "2018-11-01": lambda: listed("2018-11-01", a="contact", b="contact", c="control", d="lasting"),
    "2018-11-08": lambda: listed("2018-11-08", a="control", c="contact"),
}


def rows_of(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    values = frame[list(names)].astype(object).where(frame[list(names)].notna(), None)
    return list(values.itertuples(index=False, name=None))


def test_finished_campaigns_are_joined_with_outcomes(
    user_days: DataFrame, settings: FeatureEngineeringParameters, campaigns: CampaignParameters
) -> None:
    rows, status = nodes.join_campaign_outcomes(HISTORY, None, user_days, settings, campaigns)
    assert list(rows.columns) == nodes.CUSTOMER_COLUMNS
    assert rows_of(rows, "user_id", "campaign", "group", "churned", "gone_on", "contacts") == [
        ("a", "2018-11-01", "contact", False, None, 1),
        ("b", "2018-11-01", "contact", True, date(2018, 11, 5), 1),
        ("c", "2018-11-01", "control", False, date(2018, 11, 12), 0),  # after the horizon
        ("d", "2018-11-01", "lasting", False, None, 0),
    ]
    assert rows["kept_value"].isna().all()  # lists without prices, or of an earlier version
    # c of the control group was contacted for the campaign a week later, within the horizon.
    assert rows_of(rows, "user_id", "other_contacts")[2] == ("c", 1)
    assert status == {
        "log_end": "2018-11-15",
        "horizon_days": 10,
        "outcome": "cancellation",
        "finished": ["2018-11-01"],
        "waiting": ["2018-11-08"],
        "contacts_by": "lists",
        "unlisted": 0,
    }


def test_with_inactivity_churned_is_who_was_not_seen(
    user_days: DataFrame, settings: FeatureEngineeringParameters, campaigns: CampaignParameters
) -> None:
    changed = settings.model_copy(update={"outcome": "inactivity"})
    rows, _ = nodes.join_campaign_outcomes(HISTORY, None, user_days, changed, campaigns)
    assert rows_of(rows, "user_id", "churned", "gone_on") == [
        ("a", True, None),  # back on the 14th
        ("b", False, None),  # last seen on the 5th: the horizon after it is not over
        ("c", True, None),
        ("d", True, date(2018, 11, 1)),
    ]


def test_contacts_of_unlisted_customers_are_counted_and_warned_of(
    user_days: DataFrame,
    settings: FeatureEngineeringParameters,
    campaigns: CampaignParameters,
    logged: pytest.LogCaptureFixture,
) -> None:
    record = pd.DataFrame(
        [
            ("a", "2018-11-02", "2018-11-01"),
            ("z", "2018-11-02", "2018-11-01"),
            ("a", "2018-11-02", "1"),
        ],
        columns=["user_id", "contacted_at", "campaign"],
    )
    rows, status = nodes.join_campaign_outcomes(HISTORY, record, user_days, settings, campaigns)
    assert rows_of(rows, "user_id", "contacts")[:2] == [("a", 1), ("b", 0)]
    assert (status["contacts_by"], status["unlisted"]) == ("record", 2)
    assert "2 of 3 contacts are of customers whom the list of their campaign" in logged.text


def test_without_any_list_there_is_nothing_to_read(
    user_days: DataFrame,
    settings: FeatureEngineeringParameters,
    campaigns: CampaignParameters,
    evaluation: EvaluationParameters,
) -> None:
    rows, status = nodes.join_campaign_outcomes({}, None, user_days, settings, campaigns)
    effects = nodes.estimate_effects(rows, status, evaluation, campaigns)
    assert (list(effects.columns), len(effects)) == (COLUMNS, 0)
    summary = nodes.summarize_campaigns(rows, effects, status, evaluation)
    assert (summary["campaigns"], summary["proposal"], summary["programme"]) == ([], None, [])


def campaign(contact: tuple[int, int], control: tuple[int, int]) -> pd.DataFrame:
    """Return a finished campaign with (leavers, customers) of each group."""
    groups = {"contact": contact, "control": control}
    rows = [
        {"user_id": f"{group}{place}", "group": group, "churned": place < leavers}
        for group, (leavers, size) in groups.items()
        for place in range(size)
    ]
    frame = pd.DataFrame(rows).assign(
        **{"campaign": "2018-11-01", "cutoff": date(2018, 11, 1), "level": "free"},
        **{"probability": 0.1, "segment": "segment_1", "kept_value": float("nan"), "gone_on": None},
        **{"late_contacts": 0, "other_contacts": 0},
    )
    return frame.assign(contacts=(frame["group"] == "contact").astype(int))


STATUS = {"log_end": "2018-11-15", "finished": ["2018-11-01"], "waiting": []}


def summarize(
    rows: pd.DataFrame, evaluation: EvaluationParameters, campaigns: CampaignParameters
) -> dict[str, Any]:
    effects = nodes.estimate_effects(rows, STATUS, evaluation, campaigns)
    summary = nodes.summarize_campaigns(rows, effects, STATUS, evaluation)
    json.dumps(summary, allow_nan=False)
    return summary


def test_a_success_is_proposed_beside_the_one_in_use(
    evaluation: EvaluationParameters, campaigns: CampaignParameters
) -> None:
    summary = summarize(campaign((30, 300), (60, 300)), evaluation, campaigns)
    proposal = summary["proposal"]
    assert proposal["contact_success"] == pytest.approx(0.5)
    assert proposal["low"] == pytest.approx(0.25, abs=0.03)
    assert proposal["high"] == pytest.approx(0.67, abs=0.03)
    assert (proposal["in_use"], proposal["is_effective"]) == (0.2, True)
    assert summary["campaigns"][0]["kept_by_contact"] == pytest.approx(0.1)


def test_a_kept_customer_has_the_value_of_the_list_or_that_of_the_parameters(
    evaluation: EvaluationParameters, campaigns: CampaignParameters
) -> None:
    rows = campaign((30, 300), (60, 300))
    effects = nodes.estimate_effects(rows, STATUS, evaluation, campaigns)
    assert effects.loc[0, "gain"] == pytest.approx(30 * 90 - 300)
    priced = nodes.estimate_effects(rows.assign(kept_value=40.0), STATUS, evaluation, campaigns)
    assert priced.loc[0, "gain"] == pytest.approx(30 * 40 - 300)


def test_contacts_that_were_not_made_as_listed_dilute_the_effect(
    evaluation: EvaluationParameters, campaigns: CampaignParameters
) -> None:
    rows = campaign((30, 300), (60, 300))
    rows.loc[rows["user_id"].isin([f"contact{number}" for number in range(60)]), "contacts"] = 0
    rows.loc[rows["user_id"].isin([f"control{n}" for n in range(90)]), "other_contacts"] = 1
    (result,) = summarize(rows, evaluation, campaigns)["campaigns"]
    assert (result["contacted_share"], result["control_contacted_share"]) == (0.8, 0.3)
    # A difference of 0.1 between groups of whom 80 and 30 % were contacted.
    assert result["effect"]["kept"] == pytest.approx(0.1)
    assert result["kept_by_contact"] == pytest.approx(0.1 / 0.5)
    assert (result["contact"], result["control"], result["lasting"]) == (300, 300, 0)


def test_a_campaign_without_a_control_group_says_so(
    evaluation: EvaluationParameters, campaigns: CampaignParameters
) -> None:
    summary = summarize(campaign((3, 30), (0, 0)), evaluation, campaigns)
    (result,) = summary["campaigns"]
    assert (result["effect"]["kept"], result["control_contacted_share"]) == (None, None)
    assert summary["proposal"]["contact_success"] is None
    assert not summary["proposal"]["is_effective"]
