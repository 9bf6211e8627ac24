import json
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.reporting.number_format import UNKNOWN

Write = Callable[..., Any]
NOT_BELIEVED = "Do not believe the model: age alone tells who churned (AUC 0.97)."
DRIFT = "Adverts have drifted; PSI 0.31, limit 0.1."


# Forecast


def summary(datasets: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"score_summary": datasets["score_summary"] | changed}


def test_the_first_screen_says_the_deal_with_ranges(write: Write, datasets: dict[str, Any]) -> None:
    contacts = pd.concat([datasets["contacts"]] * 450, ignore_index=True).assign(probability=0.25)
    first_screen = write(contacts=contacts).text.partition("## 1. ")[0]
    assert re.findall(r"^- \*\*(.*?)\*\* (.*)$", first_screen, re.MULTILINE) == [
        (
            "588 of 19,700",
            "customers are expected to cancel in the 10 days after 1 December 2018; most likely "
            "541 to 636",
        ),
        ("Contact 900", "who hold 225 of those 588; most likely 196 to 255"),
        (
            "About 22 stay",
            "if a contact keeps 10 % of those who would leave; most likely 14 to 32",
        ),
        ("$512", "expected gain after $900 of cost; most likely $360 to $1,980"),
    ]


def test_weeks_are_expected_and_actual(write: Write) -> None:
    rows = write().table("Expected and actual: customers who cancelled within 10 days")
    assert rows == [
        ["From", "Customers", "Expected", "Cancelled"],
        ["7 November 2018", "18,900", "560 (514 to 607)", "541"],
        ["14 November 2018", "19,001", "571 (525 to 619)", "580"],  # an earlier score
        ["21 November 2018", "19,876", "601 (554 to 650)", "612"],
        ["1 December 2018", "19,700", "588 (541 to 636)", "not known yet"],
    ]


def test_a_list_shorter_than_the_threshold_allows_says_so(
    write: Write, datasets: dict[str, Any]
) -> None:
    text = "only the 1,002 customers with the highest probabilities, control group included"
    assert text not in write().section("Forecast")
    assert text in write(**summary(datasets, predicted=5_000)).section("Forecast")


def test_samples_have_their_size_and_that_of_the_whole(
    write: Write, datasets: dict[str, Any]
) -> None:
    samples = {
        "training": {"rows": 1_000_321, "of": 9_000_000},
        "holdout": {"rows": 999_876, "of": 4_000_000},
    }
    metrics = datasets["metrics"]
    task = {**metrics["prediction_task"], "samples": samples}
    assert "sample" not in write().section("Forecast quality")
    section = write(metrics={**metrics, "prediction_task": task}).section("Forecast quality")
    assert "These 999,876 customers are a sample, by a hash of the user, of 4,000,000" in section
    assert "with 1,000,321 of 9,000,000 training snapshots" in section


def test_the_contact_list_shows_the_first_customers_with_reasons(write: Write) -> None:
    header, first, second = write().table("Customers to contact, the highest probability first")
    assert header[:3] == ["Rank", "Customer", "Probability"]
    assert first == [
        *("1", "`<script>alert(1)</script>`", "43 %", "paid", "10 hours ago", "$2.88"),
        "thumbs down on 4.1 % of songs, average 1.1 %; no songs on the free level",
        "offer a month without adverts",
    ]
    assert second[-2:] == ["3.4 songs a day", UNKNOWN]


def test_a_customer_without_reasons_has_a_dash(write: Write, datasets: dict[str, Any]) -> None:
    contacts = datasets["contacts"].assign(reason_for_1=None, reason_for_2=None)
    _, first, _ = write(contacts=contacts).table("Customers to contact")
    assert first[-2] == UNKNOWN


def test_the_page_has_more_contacts_than_markdown(write: Write, datasets: dict[str, Any]) -> None:
    report = write(contacts=pd.concat([datasets["contacts"]] * 300))
    assert len(report.table("Customers to contact")) == 1 + 15
    assert report.page.count("300`|7") == 250
    assert report.page.count('<tr role="row" class="unprinted">') == 500 - 15
    assert "[contacts.csv](../../07_model_output/mini/contacts.csv) (2,732)" in report.text
    assert "all customers: [churn_scores.csv](" in report.text


def test_reasons_are_counted_with_what_may_help(write: Write) -> None:
    report = write()
    assert report.table("The strongest reason of each of the 1,002 customers") == [
        ["Reason", "Customers", "Share", "What may help"],
        ["many adverts", "500", "50 %", "offer a month without adverts"],
        ["plays many songs", "402", "40 %", UNKNOWN],
        ["little history", "100", "10 %", UNKNOWN],
    ]
    section = report.section("Reasons and segments")
    assert "The most active customers churn more often (plays many songs)." in section


def test_without_volume_among_the_reasons_nothing_is_said_of_the_most_active(
    write: Write, datasets: dict[str, Any]
) -> None:
    assert "most active" not in write(**summary(datasets, main_reasons={"many adverts": 9})).text


def test_a_page_without_reasons_and_segments_has_no_gap_in_its_numbers(
    write: Write, datasets: dict[str, Any]
) -> None:
    report = write(**summary(datasets, main_reasons={}, segments=[]))
    headings = re.findall(r"^## (\d+)\. (.*)$", report.text, re.MULTILINE)
    assert [int(number) for number, _ in headings] == list(range(1, 11))
    assert "Reasons and segments" not in dict(headings).values()


def test_an_empty_control_group_is_a_warning(write: Write, datasets: dict[str, Any]) -> None:
    report = write(
        **summary(datasets, control=0, to_contact=33, predicted=33, control_share=0.0004)
    )
    (notice,) = report.notices()
    assert notice.startswith("The control group is empty: 0.040 % of 33 listed customers")
    assert write().notices() == []


def test_a_contact_list_without_customers_names_the_reason(
    write: Write, datasets: dict[str, Any]
) -> None:
    no_contacts = datasets["contacts"].head(0)
    all_control = summary(datasets, control=33, to_contact=0, predicted=33, control_share=0.9996)
    report = write(contacts=no_contacts, **all_control)
    (notice,) = report.notices()
    assert "a control share of 99.96 % puts all 33 listed" in notice
    assert "has 0 rows: all are in the control group." in report.section("Forecast")
    report = write(contacts=no_contacts, **summary(datasets, control=0, to_contact=0, predicted=0))
    assert "has 0 rows: no customer reaches the threshold." in report.section("Forecast")
    assert report.notices() == []


@pytest.mark.parametrize(
    "changed",
    [{"label": "random forest"}, {"training": {"fingerprint": "0-0"}}],
    ids=["other settings", "other training rows"],
)
def test_scores_of_another_model_are_a_warning(
    write: Write, datasets: dict[str, Any], changed: dict[str, Any]
) -> None:
    model = datasets["score_summary"]["model"] | changed
    (notice,) = write(**summary(datasets, model=model)).notices()
    assert notice.startswith(
        f"These scores come from another model ({model['label']}, trained on cutoffs up to "
        "17 October 2018) than the one evaluated below (xgboost (n estimators 400))."
    )


def test_a_list_with_other_costs_than_the_evaluation_is_a_warning(
    write: Write, datasets: dict[str, Any]
) -> None:
    changed = {"threshold": 0.556, "threshold_by": "profit", "contact_cost": 5.0}
    decision = datasets["score_summary"]["decision"] | changed
    report = write(**summary(datasets, decision=decision))
    (notice,) = report.notices()
    assert notice == (
        "The list uses other settings than precision, recall and profit below: threshold 0.556 "
        "instead of 0.0912, threshold_by profit instead of f1, contact_cost 5 instead of 1. To "
        "evaluate the model with the current settings and update list and report: kedro run "
        "--from-nodes modelling.evaluation.compare_with_champion"
    )
    text = report.section("Forecast")
    assert "1,002 customers have a probability of at least 56 %, the threshold of the list." in text
    assert "So a contact pays off from a probability of 56 %." in text


def test_contacts_that_never_pay_off_are_named(write: Write, datasets: dict[str, Any]) -> None:
    decision = datasets["score_summary"]["decision"] | {"contact_cost": 10.0}
    text = write(**summary(datasets, decision=decision)).section("Forecast")
    assert "a customer who stays is worth $90. So no contact pays off.\n" in text


def test_scores_of_days_in_the_training_data_are_not_a_forecast(
    write: Write, datasets: dict[str, Any]
) -> None:
    (notice,) = write(**summary(datasets, is_forecast=False)).notices()
    assert "after 1 December 2018, so these scores are not a forecast." in notice


def test_a_list_that_is_expected_to_lose_money_is_a_warning(
    write: Write, datasets: dict[str, Any]
) -> None:
    (notice,) = write(**summary(datasets, expected_profit=-6.2)).notices()
    assert notice.startswith("Contacting the whole list is expected to lose $6.20: it starts at")
    assert "a contact pays off from 11 %." in notice


def test_churn_is_defined_by_the_outcome(write: Write, datasets: dict[str, Any]) -> None:
    assert "a customer who cancels within 10 days has churned:" in write().text
    text = write(**summary(datasets, outcome="inactivity", outcome_phrase="were not seen")).text
    assert "a customer who is not seen within 10 days has churned:" in text
    assert "customers are expected to stay away in the 10 days" in text


# Forecast quality


def test_the_quality_begins_with_what_a_manager_can_use(write: Write) -> None:
    first, second, *_ = write().section("Forecast quality").strip().split("\n\n")
    assert first == (
        "The tenth of the customers with the highest probability holds 3.91 times (3.52 to 4.29) "
        "as many churners as average."
    )
    assert second == (
        "1 in 6 customers above the threshold churned, 17.2 % (15.1 to 19.3 %), against 1 in 32 of "
        "all. They were 28.1 % (24.0 to 31.9 %) of the customers who churned."
    )


def test_the_sliders_have_the_profit_curve(write: Write) -> None:
    (curve,) = re.findall(r'data-curve="([^"]*)"', write().page)
    assert json.loads(curve)[1:3] == [[999, 172, 0.0912], [2310, 394, 0.05]]


def metrics(datasets: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"metrics": datasets["metrics"] | changed}


def test_each_metric_has_its_interval_and_the_baselines(write: Write) -> None:
    header, *rows = write().table("The forecast and rules without a model, on the hold-out")
    assert header[1:5] == [
        "All customers",
        "Held-out users",
        "Base rate for all",
        "Most songs first",
    ]
    by_name = {row[0]: row[1:] for row in rows}
    assert len(by_name) == 11
    assert by_name["Churned"][:3] == ["612 of 19,876", "101 of 3,580", ""]
    assert by_name["AUC"][:2] == ["0.780 (0.761 to 0.798)", "0.753 (0.707 to 0.796)"]
    assert by_name["Precision"][:3] == ["17.2 % (15.1 to 19.3 %)"] * 2 + [UNKNOWN]


def test_out_of_fold_metrics_are_beside_those_of_the_hold_out(
    write: Write, datasets: dict[str, Any]
) -> None:
    out_of_fold = {
        **datasets["metrics"]["holdout"],
        **{"users": 16_543, "snapshots": 98_765, "churned": 3_777},
        "auc": {"value": 0.7712, "ci95": [0.7641, 0.7784]},
    }
    report = write(**metrics(datasets, out_of_fold=out_of_fold))
    header, *rows = report.table("The forecast and rules without a model, on the hold-out and, out")
    assert header[1:4] == ["All customers", "Out of fold", "Held-out users"]
    by_name = {row[0]: row[1:4] for row in rows}
    assert by_name["Churned"] == ["612 of 19,876", "3,777 of 98,765", "101 of 3,580"]
    assert by_name["AUC"][1] == "0.771 (0.764 to 0.778)"
    assert "with 3,777 churned snapshots against 612 in the hold-out." in report.section(
        "Metrics in detail"
    )
    assert "Out of fold" not in write().text


def test_held_out_users_without_churn_are_not_evaluated(
    write: Write, datasets: dict[str, Any]
) -> None:
    nobody = {"users": 33, "snapshots": 33, "churned": 0, "base_rate": 0.0}
    report = write(**metrics(datasets, held_out_users=nobody))
    rows = {row[0]: row[2] for row in report.table("The forecast and rules")}
    assert (rows["Churned"], rows["AUC"]) == ("0 of 33", UNKNOWN)
    assert "Of the 33 users held out of training, 0 cancelled: too few" in report.text


def test_held_out_users_with_little_churn_have_no_intervals(
    write: Write, datasets: dict[str, Any]
) -> None:
    auc = {"auc": {"value": 0.42, "ci95": None}, "recall": {"value": 0.0, "ci95": None}}
    few = {"users": 36, "snapshots": 36, "churned": 3, "base_rate": 0.08, **auc}
    report = write(**metrics(datasets, held_out_users=few))
    rows = {row[0]: row[2] for row in report.table("The forecast and rules")}
    assert rows["AUC"] == "0.420 (too few to say)"
    assert rows["Recall"] == "0.0 % (too few to say)"
    assert "3 cancelled: too few to evaluate the forecast on them alone." in report.text


def test_held_out_users_with_enough_churn_are_evaluated(write: Write) -> None:
    assert (
        "3,580 of these users were held out of training, by a hash of their id. 101 of them "
        "cancelled. The AUC on them is 0.753 (0.707 to 0.796), against 0.780 (0.761 to 0.798) for "
        "all customers."
    ) in write().section("Metrics in detail")


def test_a_hold_out_with_little_churn_is_a_warning(write: Write, datasets: dict[str, Any]) -> None:
    holdout = datasets["metrics"]["holdout"] | {"churned": 3}
    (notice,) = write(**metrics(datasets, holdout=holdout)).notices()
    assert notice.startswith("Only 3 customers cancelled in these 10 days, so the intervals are")
    holdout = holdout | {"auc": {"value": 0.42, "ci95": None}}
    (notice,) = write(**metrics(datasets, holdout=holdout)).notices()
    assert notice.endswith(
        "in these 10 days, too few for intervals. Do not plan with these figures."
    )


def test_the_chosen_candidate_is_marked(write: Write, datasets: dict[str, Any]) -> None:
    _, *rows = write().table("The candidates of this training, each cross-validated over 5 folds")
    assert rows == [
        ["xgboost", "n_estimators=400", "0.1596 ± 0.0056", "0.167", "the best", "chosen"],
        [
            *("logistic regression", "regParam=0.001, tol=0.0001"),
            *("0.1522 ± 0.0047", "0.168", "0.0074 ± 0.0033", ""),
        ],
    ]
    assert "did not replace the current champion" not in write().text
    not_replaced = datasets["promotion"] | {"replaced": False}
    assert "chosen, but did not replace the current champion" in write(promotion=not_replaced).text


def test_a_model_better_than_simple_rules_has_its_gain(write: Write) -> None:
    assert (
        "By AUC, the model is measurably better than most songs first (difference 0.100, 95 % CI "
        "0.081 to 0.120). By average precision, the model is measurably better than most songs "
        "first (difference 0.065, 95 % CI 0.043 to 0.089)."
    ) in write().section("Metrics in detail")


@pytest.mark.parametrize(
    ("gain", "start"),
    [
        (
            {"value": -0.028, "ci95": [-0.181, 0.122]},
            "By AUC, the model is not measurably different from most songs first (difference "
            "-0.03, 95 % CI -0.18 to 0.12).",
        ),
        ({"value": 0.2, "ci95": None}, "Too few churned to compare"),
    ],
)
def test_a_model_that_is_not_better_than_a_simple_rule_is_a_warning(
    write: Write, datasets: dict[str, Any], gain: dict[str, Any], start: str
) -> None:
    gains = {"most_songs": {"auc": gain, "average_precision": gain}}
    (notice,) = write(**metrics(datasets, gain_over_baselines=gains)).notices()
    assert notice.startswith(start)
    assert notice.endswith(
        "This hold-out does not show that the model ranks better than most songs first."
    )


def test_profit_is_compared_with_other_ways_to_choose(write: Write) -> None:
    report = write()
    text = report.section("Forecast quality")
    assert "999 contacts would have gained $551 ($322 to $799)" in text
    assert "was 2,310 (1,204 to 3,871), with $1,234 ($803 to $1,655)" in text
    assert "Contacting everyone would have gained -$14,368;" in text
    assert "the best simple rule, most songs first, at most $61." in text
    assert report.table("Profit by number of customers contacted") == [
        ["Contacted", "Forecast", "Random", "Most songs first", "Note"],
        ["999", "$551 ($322 to $799)", "-$722", "$12", "threshold in use"],
        ["2,310", "$1,234 ($803 to $1,655)", "-$1,670", "-$300", "most profit"],
        ["19,876", "-$14,368 (-$14,801 to -$13,911)", "-$14,368", "-$14,368", ""],
    ]


def test_compared_amounts_keep_their_order(write: Write, datasets: dict[str, Any]) -> None:
    best = {**datasets["contact_plan"]["best"], "profit": {"value": 68.4, "ci95": [-36, 162.4]}}
    plan = datasets["contact_plan"] | {"best": best, "contact_cost": 0.4}
    plan["baselines"] = {"most_songs": {"contacted": 40, "profit": 69.2}}
    text = write(contact_plan=plan).section("Forecast quality")
    assert "a contact costs $0.40" in text
    assert "(1,204 to 3,871), with $68.40 (-$36 to $162)" in text
    assert "most songs first, at most $69.20." in text


def test_profits_with_too_few_churners_have_no_intervals(
    write: Write, datasets: dict[str, Any]
) -> None:
    best = {"contacted": 2_310, "profit": {"value": 1_234.0, "ci95": None}, "contacted_ci95": None}
    plan = datasets["contact_plan"] | {"best": best}
    profit = datasets["contact_profit"].assign(profit_low=float("nan"), profit_high=float("nan"))
    report = write(contact_plan=plan, contact_profit=profit)
    assert "was 2,310 (too few to say), with $1,234 (too few to say)" in report.text
    assert report.table("Profit by number")[2][1] == "$1,234 (too few to say)"


# Limits


def test_each_limit_names_a_figure(write: Write) -> None:
    limits = write().items("Must not be used for")
    assert "17.2 % (15.1 to 19.3 %) churn" in limits["Decisions against a customer"]
    assert "28.1 % (24.0 to 31.9 %)" in limits["A complete list of churners"]
    assert "control group of 102 customers" in limits["Proof that contacts work"]
    assert "with 612 churned" in limits["Anything beyond 10 days"]
    assert "Statements about real customers" not in limits
    assert "A list of ended subscriptions" not in limits


def test_without_a_control_group_the_effect_of_contacts_stays_unknown(
    write: Write, datasets: dict[str, Any]
) -> None:
    limits = write(**summary(datasets, control=0)).items("Must not be used for")
    assert "This list has no control group" in limits["Proof that contacts work"]


def test_only_a_group_that_is_measurably_worse_is_a_limit(
    write: Write, datasets: dict[str, Any]
) -> None:
    limits = write().items("Must not be used for")
    assert ": level free, AUC 0.70 (0.64 to 0.75)" in limits["Ranking within some groups"]
    unequal = "A claim of equal quality for all groups"
    assert limits[unequal] == "In 1 of 3 groups too few churned to say: gender <b>F</b>, 0."
    wide = datasets["group_metrics"].assign(
        auc_low=[0.49, 0.77, None], auc_difference_high=[0.05, 0.02, None]
    )
    limits = write(group_metrics=wide).items("Must not be used for")
    assert "Ranking within some groups" not in limits
    assert limits[unequal] == (
        "In 2 of 3 groups too few churned to say: level free, 90; gender <b>F</b>, 0."
    )


def test_a_simulated_log_says_nothing_about_real_customers(
    write: Write, datasets: dict[str, Any]
) -> None:
    quality = datasets["data_quality"] | {"simulation": {"seed": 455, "users": 225}}
    report = write(**metrics(datasets, source="simulated"), data_quality=quality)
    limits = report.items("Must not be used for")
    assert "All 19,876 customers" in limits["Statements about real customers"]
    assert report.markdown.startswith("> [!WARNING]\n> Simulated log: these customers do not exist")
    assert "(seed 455, 225 users)" in report.notices()[0]
    assert report.page.index("Simulated log") < report.page.index("<h1>")


def test_with_inactivity_a_pause_counts_as_churn(write: Write, datasets: dict[str, Any]) -> None:
    task = {"outcome": "inactivity", "horizon_days": 14, "active_within_days": 30}
    report = write(
        **metrics(datasets, prediction_task=datasets["metrics"]["prediction_task"] | task)
    )
    limits = report.items("Must not be used for")
    assert "not seen for 14 days" in limits["A list of ended subscriptions"]


# What the forecast depends on


def test_an_input_has_one_row_with_the_weight_of_its_product(write: Write) -> None:
    report = write()
    assert report.table("The inputs, the strongest first") == [
        ["Input", "Weight", "Additional weight times is paid", "Meaning"],
        ["segment 2", "0.25", UNKNOWN, "Probability of the segment “many adverts”"],
        [
            *("songs per day", "0.11", "-0.071"),
            "Events on page NextSong per days in which events could be seen, shrunk towards "
            "the average rate (prior: 2 of these)",
        ],
    ]
    assert (
        "Weights of the inputs, the strongest first: segment 2 0.25, songs per day 0.11, songs per "
        "day, times is paid -0.071."
    ) in report.alt_texts()


def test_importances_have_no_direction(write: Write) -> None:
    weights = pd.DataFrame({"feature": ["is_paid"], "weight": [0.7], "kind": "importance"})
    report = write(feature_weights=weights)
    text = report.section("What the forecast depends on")
    assert "The model has 1 input, all known" in text
    assert "It has no direction" in text
    assert report.table("The inputs")[0] == ["Input", "Weight", "Meaning"]


def test_segments_are_distinguished_by_their_rates(write: Write, datasets: dict[str, Any]) -> None:
    report = write()
    header, first, second = report.table("The segments, those with the most expected churners")
    assert header[:6] == [
        *("Segment", "Customers", "Expected to churn", "Rate", "To contact", "Expected gain")
    ]
    assert first == [
        *("many adverts", "1,900", "236", "12 %", "600", "$402"),
        "hears adverts 1.8 times as often as average while on the free plan (16.1 % of songs, "
        "average 9.0 %)",
        "offer a month without adverts",
    ]
    assert second[-1] == UNKNOWN
    without = write(segments=datasets["segments"].head(0), **summary(datasets, segments=[]))
    assert "The segments" not in without.text


# Quality by customer group


def groups(report: Any) -> list[str]:
    """Return the sentences before the table."""
    text: str = report.section("Quality by customer group")
    return [line for line in text.partition("**")[0].splitlines() if line]


def test_a_group_ranked_worse_is_named_with_its_difference(write: Write) -> None:
    assert groups(write())[0] == (
        "In 1 of 3 groups too few churned to evaluate the ranking. The ranking is measurably worse "
        "than for all customers (AUC 0.780 (0.761 to 0.798)) in: level free, AUC 0.70 (0.64 to "
        "0.75), difference -0.08, 95 % CI -0.13 to -0.03."
    )


def test_a_group_with_a_wide_interval_is_not_worse(write: Write, datasets: dict[str, Any]) -> None:
    wide = datasets["group_metrics"].assign(
        auc_low=[0.45, 0.77, None], auc_difference_high=[0.05, 0.02, None]
    )
    assert groups(write(group_metrics=wide))[0] == (
        "In 2 of 3 groups too few churned to evaluate the ranking. In the other groups the "
        "ranking is not measurably worse than for all customers (AUC 0.780 (0.761 to 0.798))."
    )


def test_a_group_is_miscalibrated_only_by_its_whole_interval(
    write: Write, datasets: dict[str, Any]
) -> None:
    assert groups(write())[1] == (
        "Measurably more or fewer churned than forecast in level paid: mean forecast 3.0 %, 3.5 % "
        "churned (522 of 15,076)."
    )
    within = datasets["group_metrics"].assign(calibration_gap_low=[-0.003, -0.001, None])
    assert groups(write(group_metrics=within))[1] == (
        "In the 2 groups with enough churners, the share that churned does not differ measurably "
        "from the forecast."
    )


def test_groups_with_too_few_churners_are_only_counted(
    write: Write, datasets: dict[str, Any]
) -> None:
    few = datasets["group_metrics"].tail(1)
    report = write(group_metrics=few.astype(dict.fromkeys(few.columns[6:], float)))
    assert groups(report) == ["In 1 of 1 groups too few churned to evaluate the ranking."]


def test_aucs_of_groups_have_the_decimals_of_the_narrowest_interval(write: Write) -> None:
    _, *rows = write().table("Customer groups of the hold-out")
    assert [(row[0], row[5], row[6]) for row in rows] == [
        ("all customers", "0.780 (0.761 to 0.798)", "0.44 %"),
        ("level free", "0.701 (0.642 to 0.752)", "0.31 %"),
        ("level paid", "0.791 (0.770 to 0.812)", "0.51 %"),
        ("gender <b>F</b>", "too few to say", "too few to say"),
    ]


# Monitoring


def test_alarms_are_above_everything_and_in_their_section(write: Write) -> None:
    report = write()
    at_top = [f"Monitoring raised 1 alarm. {DRIFT}", NOT_BELIEVED]
    assert report.notices("CAUTION") == [*at_top, DRIFT, NOT_BELIEVED]
    assert report.text.index(NOT_BELIEVED) < report.text.index("# Churn forecast")


def test_drift_by_chance_is_not_an_alarm(write: Write, datasets: dict[str, Any]) -> None:
    (drifted,) = datasets["monitoring_summary"]["features"]
    chance = drifted | {"feature": "songs_per_day", "psi": 0.25, "p_adjusted": 0.2, "alarm": False}
    changed = {"features": [drifted, chance], "alarms": []}
    report = write(monitoring_summary=datasets["monitoring_summary"] | changed)
    _, *rows = report.table("Features and scores, in training and now")
    by_chance = "above 0.1, but no more than chance"
    assert rows == [
        [
            *("adverts per free song", "0.0712", "0.143", "0.31", "0.0002"),
            "alarm: above 0.1, and more than chance",
        ],
        ["songs per day", "0.0712", "0.143", "0.25", "0.20", by_chance],
    ]
    assert f"stability index of 1 feature is {by_chance}." in report.section("Monitoring")
    assert report.alt_texts()[-2].endswith(f"limit of 0.1; 1 alarm, 1 feature {by_chance}.")


def test_earlier_scores_with_too_few_churners_have_no_interval(
    write: Write, datasets: dict[str, Any]
) -> None:
    (enough,) = datasets["monitoring_summary"]["realised"]
    few = enough | {"churned": 3, "auc_low": None, "auc_high": None}
    zero = few | {"churned": 0, "auc": None}
    monitoring = datasets["monitoring_summary"] | {"realised": [enough, few, zero]}
    _, *rows = write(monitoring_summary=monitoring).table("Earlier scores and what happened")
    assert rows == [
        ["14 November 2018", "19,001", "571 (511 to 633)", "580", "0.771 (0.751 to 0.791)"],
        ["14 November 2018", "19,001", "571 (511 to 633)", "3", "0.771 (too few to say)"],
        ["14 November 2018", "19,001", "571 (511 to 633)", "0", "too few to say"],
    ]


def test_a_pipeline_that_has_not_run_is_named_with_its_command(write: Write) -> None:
    report = write(monitoring_summary={}, leakage_audit={}, drift_figure=None)
    text = report.section("Monitoring")
    assert report.notices("CAUTION") == []
    assert "|" not in text
    assert "Monitoring has not run for this model and these scores." in text
    assert "kedro run --pipelines monitoring,reporting\n" in text
    assert "There is no leakage audit. To add it: kedro run --pipelines validation" in text


@pytest.mark.parametrize(
    "older",
    [
        {"cutoff": "2018-11-24"},
        {"holdout": {"auc": {"value": 0.6, "ci95": [0.5, 0.7]}}},
    ],
    ids=["other scores", "other model"],
)
def test_monitoring_of_other_scores_or_another_model_is_not_shown(
    write: Write, datasets: dict[str, Any], older: dict[str, Any]
) -> None:
    report = write(monitoring_summary=datasets["monitoring_summary"] | older, drift_figure=None)
    assert report.notices("CAUTION") == [NOT_BELIEVED, NOT_BELIEVED]
    assert "Monitoring has not run since" in report.text
    assert "PSI" not in report.text


def test_an_audit_of_other_training_data_is_not_shown(
    write: Write, datasets: dict[str, Any]
) -> None:
    training = {**datasets["leakage_audit"]["training"], "fingerprint": "0000-1"}
    report = write(leakage_audit=datasets["leakage_audit"] | {"training": training})
    assert NOT_BELIEVED not in report.text
    assert "The existing one examined other data, up to 17 October 2018." in report.text
    audit = {key: value for key, value in datasets["leakage_audit"].items() if key != "training"}
    report = write(leakage_audit=audit)
    assert NOT_BELIEVED not in report.text
    assert "There is no leakage audit. To add it: kedro run" in report.text


def test_a_clean_audit_has_its_figures(write: Write, datasets: dict[str, Any]) -> None:
    report = write(leakage_audit=datasets["leakage_audit"] | {"warnings": []})
    assert NOT_BELIEVED not in report.text
    assert (
        "Leakage audit: no sign of leakage in the training data. Length and amount of history "
        "alone rank churners with an AUC of 0.61, rates alone with 0.70. The best single feature "
        "(age) reaches 0.97. A weighted sum of features explains 12 % of the label's variance. "
        "Deleting, changing and inventing events at or after the cutoff changed 0 rows of features."
    ) in report.text


def test_challenger_and_champion_are_compared(write: Write, datasets: dict[str, Any]) -> None:
    holdout = datasets["metrics"]["holdout"]
    figures = {name: holdout[name] for name in ("auc", "average_precision", "log_loss")}
    promotion = {
        "replaced": False,
        "reason": "the current champion stays",
        "gain": {"value": 0.001, "ci95": [-0.01, 0.012]},
        "challenger": {"candidate": "xgboost", "trained_until": "2018-11-07", **figures},
        "current_champion": {
            "candidate": "random_forest",
            "trained_until": "2018-10-31",
            **figures,
        },
    }
    report = write(promotion=promotion)
    _, *rows = report.table("The newly trained model and the current champion")
    written = ["0.780 (0.761 to 0.798)", "0.137 (0.115 to 0.159)", "0.130 (0.123 to 0.138)"]
    assert rows == [
        ["Challenger", "xgboost", "7 November 2018", *written],
        ["Current champion", "random forest", "31 October 2018", *written],
    ]
    assert "Champion and challenger: the current champion stays." in report.text
    assert "challenger: no comparison, because there is no champion yet." in write().text


# Method


def test_the_log_and_its_rejected_lines_are_described(
    write: Write, datasets: dict[str, Any]
) -> None:
    report = write()
    items = report.items("How it was made")
    assert items["Records"] == "287,156; 8,472 (3.0 %) were rejected"
    assert items["Unused columns of the log"] == "<i>device</i>"
    assert report.table("Rejected records by reason")[1:] == [["no user", "8,472", "3.0 %"]]
    clean = datasets["data_quality"] | {"rejected": 0, "rejections": {}, "unknown_columns": []}
    report = write(data_quality=clean)
    assert report.table("Rejected records by reason")[1:] == [["none", "0", "0 %"]]
    assert set(items) - set(report.items("How it was made")) == {"Unused columns of the log"}


def test_the_champion_is_described_with_its_training_data(write: Write) -> None:
    report = write()
    items = report.items("How it was made")
    assert items["Training data"] == (
        "98,765 snapshots of 16,543 customers at 2 cutoffs from 10 October 2018 to "
        "17 October 2018; 3,777 churned (3.8 %)"
    )
    assert items["Threshold on the hold-out"] == (
        "9.1 %, with the highest expected F1 of out-of-fold probabilities"
    )
    packages = report.table("Package versions of the champion's training")
    assert packages[1:] == [["python", "3.11.2"], ["pyspark", "4.3.0"]]


def test_run_times_are_linked(write: Write) -> None:
    report = write()
    assert 'href="run_timings.csv"' in report.page
    assert "[run\\_timings.png](run_timings.png)" in report.markdown


def test_a_simulation_is_named_by_its_seed(write: Write, datasets: dict[str, Any]) -> None:
    simulation = {"source": "simulated", "simulation": {"seed": 455, "users": 225}}
    items = write(data_quality=datasets["data_quality"] | simulation).items("How it was made")
    assert items["Log"] == "simulated, with seed 455"


def test_files_with_customers_to_forget_are_counted(write: Write, datasets: dict[str, Any]) -> None:
    heading, item = "How it was made", "Files with customers to forget"
    assert item not in write().items(heading)
    quality = datasets["data_quality"] | {"files_to_clean": 2}
    listed = write(data_quality=quality).items(heading)[item]
    assert listed.startswith("2, listed in files_to_clean.json")


@pytest.mark.parametrize(
    ("treated_as", "sentence"),
    [
        ("return", "They are customers again from the first of these events on"),
        ("final", "These events are ignored"),
    ],
)
def test_customers_with_events_after_a_cancellation_are_counted(
    write: Write, treated_as: str, sentence: str
) -> None:
    returning = {"customers": 30, "events": 59_437, "treated_as": treated_as}
    items = write(event_summary={"returning_customers": returning}).items("How it was made")
    assert items["Customers with events after a cancellation"] == (
        f"30, with 59,437 events. {sentence} (feature_engineering.returning_customers)"
    )


def test_the_question_names_its_customers(write: Write, datasets: dict[str, Any]) -> None:
    items = write().items("How it was made")
    assert items["Question"] == "which customers cancelled within 10 days of a cutoff"
    task = {"outcome": "inactivity", "outcome_phrase": "were not seen", "active_within_days": 30}
    report = write(
        **metrics(datasets, prediction_task=datasets["metrics"]["prediction_task"] | task)
    )
    assert report.items("How it was made")["Question"] == (
        "which customers seen in the 30 days before were not seen within 10 days of a cutoff"
    )


def test_finished_campaigns_are_read_out(write: Callable[..., Any]) -> None:
    report = write()
    _, row = report.table("Finished campaigns: what the contacts changed")
    assert row == [
        "2018-11-01",
        "190 of 2,700",
        "33 of 300",
        "4.0 % (1.0 to 7.9 %)",
        "37 % (12 to 54 %)",
        "$7,044 (-$245 to $16,521)",
    ]
    section = report.section("Campaigns and losses")
    assert "propose a contact_success of 37 % (12 to 54 %)" in section
    assert "the list uses 20 %" in section


def test_the_plan_says_what_the_list_can_show(write: Callable[..., Any]) -> None:
    section = write().section("Forecast")
    assert (
        "the list of 2,700 contacts and a control group of 300 can show, with a probability of "
        "80 %, that contacts keep 44 % of the customers who would churn, or more. The assumed "
        "20 % is found with 20 %. 6 such lists together would find it with 80 %."
    ) in section


def test_a_list_that_can_show_nothing_plausible_has_a_notice(
    write: Callable[..., Any], datasets: dict[str, Any]
) -> None:
    small = {"contacts": 30, "control": 3, "detectable_success": None, "needed_campaigns": 258}
    plan = datasets["campaign_plan"] | small | {"is_conclusive": False}
    (notice,) = (text for text in write(campaign_plan=plan).notices("WARNING") if "Before" in text)
    assert notice == (
        "Before you send: no effect that is plausible can be shown with the list of 30 contacts "
        "and a control group of 3. Even if every contact kept its customer, the read-out would "
        "find it with a probability below 80 %. 258 such lists together would show the assumed "
        "20 %."
    )


def test_without_a_finished_campaign_the_report_says_what_it_waits_for(
    write: Callable[..., Any],
) -> None:
    waiting = {"campaigns": [], "groups": [], "programme": [], "all": None, "proposal": None}
    report = write(campaign_summary={**waiting, "waiting": ["2018-12-01"]}, campaigns_figure=None)
    section = report.section("Campaigns and losses")
    assert "waiting for the horizon of 1 December 2018" in section


def test_losses_and_retention_are_shown_only_where_they_were_counted(
    write: Callable[..., Any],
) -> None:
    report = write()
    assert report.table("Customers lost and won in the newest weeks") == [
        ["Week until", "Active", "Cancelled", "Went quiet", "Returned", "New"],
        ["24 November 2018", "15,000", "301", "0", "0", "0"],
        ["1 December 2018", "17,097", "202", "211", "53", "44"],
    ]
    assert report.table("Share of customers retained") == [
        ["Signed up in the week of", "Customers", "After 1 week", "After 4 weeks"],
        ["earlier", "9,000", "98 %", "88 %"],
        ["22 October 2018", "400", "95 %", "75 %"],
        ["19 November 2018", "120", "98 %", UNKNOWN],
    ]
    nothing = {"customer_movements": None, "retention": None, "campaign_summary": {}}
    report = write(**nothing, campaigns_figure=None, movements_figure=None)
    assert "Campaigns and losses" not in report.text


def test_campaigns_without_a_clear_effect_propose_nothing(
    write: Callable[..., Any], datasets: dict[str, Any]
) -> None:
    unclear = datasets["campaign_summary"]["proposal"] | {"low": -0.06, "is_effective": False}
    report = write(campaign_summary=datasets["campaign_summary"] | {"proposal": unclear})
    section = report.section("Campaigns and losses")
    assert "do not show that contacts keep customers" in section
    assert "propose a contact_success" not in section
