import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.runner import ThreadRunner
from pyspark.sql import SparkSession

from sparkify.pipelines.evaluation import contact_profit, customer_groups
from sparkify.pipelines.feature_engineering.log_summary import MissingPageError
from sparkify.pipelines.modelling import nodes as modelling_nodes

ROOT = Path(__file__).parents[1]


def test_the_default_run_ends_with_holdout_metrics(finished: Any, spark: SparkSession) -> None:
    metrics = finished.catalog().load("metrics")
    assert metrics["source"] == "simulated"
    assert metrics["champion"]["candidate"] in {"logistic_regression", "random_forest"}
    prediction_task = metrics["prediction_task"]
    assert (prediction_task["cutoff"], prediction_task["horizon_days"]) == ("2018-11-21", 10)
    assert max(prediction_task["train_cutoffs"]) == "2018-11-07"
    for part in ("holdout", "train"):
        assert 0 < metrics[part]["churned"] < metrics[part]["users"]
    for name in ("auc", "average_precision", "log_loss", "brier", "precision", "recall"):
        assert metrics["holdout"][name]["value"] >= 0
        assert metrics["holdout"][name]["ci95"] is None
    assert metrics["holdout"]["churned"] < 5  # too few for intervals
    assert set(metrics["gain_over_baselines"]) == {"longest_away", "most_songs"}
    assert metrics["held_out_users"]["users"] < metrics["holdout"]["users"]
    assert set(metrics["baselines"]) == {"base_rate", "longest_away", "most_songs"}
    assert len(metrics["candidates"]) == 2
    json.dumps(metrics, allow_nan=False)


def test_the_saved_model_gives_the_same_predictions(finished: Any) -> None:
    catalog = finished.catalog()
    forecast = catalog.load("churn_model").transform(catalog.load("test"))
    predictions = forecast.select("user_id", "probability").toPandas()
    saved = catalog.load("test_predictions").select(*predictions.columns).toPandas()
    pd.testing.assert_frame_equal(
        *(rows.sort_values("user_id", ignore_index=True) for rows in (predictions, saved))
    )


def test_the_default_run_scores_the_customers_of_the_newest_day(finished: Any) -> None:
    catalog = finished.catalog()
    scores = catalog.get("churn_scores_csv").load_rows()
    summary = catalog.load("score_summary")
    assert summary["cutoff"] == "2018-12-01"
    assert summary["is_forecast"]
    assert summary["customers"] == len(scores) == catalog.load("churn_scores").count()
    listed = pd.concat([catalog.load("contacts"), catalog.load("control_group")])
    assert set(listed["user_id"]) == set(scores.loc[scores["predicted"], "user_id"])
    assert summary["to_contact"] + summary["control"] == len(listed)
    rounded = pd.concat([catalog.load("contacts_csv"), catalog.load("control_group_csv")])
    assert rounded["user_id"].tolist() == listed["user_id"].tolist()
    assert rounded["probability"].tolist() == listed["probability"].round(4).tolist()


def test_an_earlier_cutoff_is_added_to_the_score_history(finished: Any, tmp_path: Path) -> None:
    project = finished.copy_to(tmp_path / "earlier")
    catalog = project.catalog()
    newest_scores = catalog.get("churn_scores_csv").load_rows()
    project.run("scoring", params={**project.params, "cutoff": "2018-11-21"})
    assert set(catalog.get("churn_scores_csv").load_rows()["cutoff"]) == {"2018-11-21"}
    history = catalog.load("score_history")
    assert set(history) == {"2018-11-21", "2018-12-01"}
    newest, scored = (
        history[cutoff]().toPandas().set_index("user_id")["probability"]
        for cutoff in ("2018-12-01", "2018-11-21")
    )
    assert newest.round(4).to_dict() == newest_scores.set_index("user_id")["probability"].to_dict()
    holdout = catalog.load("test_predictions").toPandas().set_index("user_id")["probability"]
    pd.testing.assert_series_equal(scored, holdout, check_like=True)


def test_a_daily_run_scores_with_the_champion_and_makes_no_training_rows(
    finished: Any, tmp_path: Path
) -> None:
    project = finished.copy_to(tmp_path / "daily")
    earlier = finished.catalog().load("contacts")
    shutil.rmtree(project.folder / "data/04_feature/mini/features")
    project.run("daily", params=project.params, runner=ThreadRunner())  # as `make daily`
    catalog = project.catalog()
    pd.testing.assert_frame_equal(catalog.load("contacts"), earlier)
    assert catalog.load("monitoring_summary")["cutoff"] == "2018-12-01"
    assert not catalog.exists("features")


def versions(project: Any) -> dict[str, list[str]]:
    """Return the versions of the champion, by dataset."""
    folders = {
        "churn_model": project.folder / "data/06_models/mini/churn_model",
        "champion": project.folder / "data/06_models/mini/champion.json",
        "promotion": project.folder / "data/08_reporting/mini/promotion.json",
    }
    return {
        name: sorted(version.name for version in folder.iterdir()) if folder.exists() else []
        for name, folder in folders.items()
    }


def test_a_model_is_promoted_only_after_its_whole_evaluation(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = finished.copy_to(tmp_path / "failing")
    params = {**project.params, "evaluation": {"promotion": {"replace": "always"}}}
    before = versions(project)
    assert {name: len(one) for name, one in before.items()} == dict.fromkeys(before, 1)

    def evaluate() -> None:
        project.run("evaluation", params=params)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(contact_profit, "_sum_gains", fail)
        with pytest.raises(ZeroDivisionError):
            evaluate()
    assert versions(project) == before
    shutil.rmtree(project.folder / "data/06_models/mini/churn_model")
    with monkeypatch.context() as patch:
        patch.setattr(customer_groups, "_measure_group", fail)
        with pytest.raises(ZeroDivisionError):
            evaluate()
    assert versions(project)["churn_model"] == []
    evaluate()
    assert {name: len(one) for name, one in versions(project).items()} == {
        "churn_model": 1,
        "champion": 2,
        "promotion": 2,
    }


def test_a_candidate_is_selected_again_without_fitting_the_folds(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = finished.copy_to(tmp_path / "selected")
    kept = project.catalog().load("cv_results")
    modelling = {**project.params["modelling"], "selection": "log_loss"}

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(modelling_nodes, "predict_out_of_fold", fail)
    project.run(
        "modelling",
        from_nodes=["modelling.select_candidate"],
        params={**project.params, "modelling": modelling},
    )
    catalog = project.catalog()
    again = catalog.load("cv_results")
    assert again["behind"].tolist() != kept["behind"].tolist()
    best = again.loc[again["behind"].idxmin()]
    assert best["log_loss"] == again["log_loss"].min()
    trial = catalog.load("selected_candidate")["trial"]
    assert trial == min(again.loc[again["behind"] <= again["behind_error"], "trial"])
    assert catalog.load("calibration")["method"] in {"none", "platt", "isotonic"}
    assert len(list((project.folder / "data/06_models/mini/challenger_model").iterdir())) == 2


def test_the_contact_list_uses_the_costs_of_its_run(finished: Any, tmp_path: Path) -> None:
    project = finished.copy_to(tmp_path / "dearer")
    decision = {"threshold": "profit", "contact_success": 0.5, "kept_customer_value": 100}
    counts = []
    for cost in (5, 60):
        evaluation = {"decision": {**decision, "contact_cost": cost}}
        project.run("scoring", params={**project.params, "evaluation": evaluation})
        catalog = project.catalog()
        summary = catalog.load("score_summary")
        probability = catalog.load("churn_scores").toPandas()["probability"]
        assert summary["decision"]["threshold"] == min(cost / 50, 1)
        assert summary["predicted"] == (probability >= cost / 50).sum()
        lists = [catalog.load("contacts"), catalog.load("control_group")]
        assert sum(map(len, lists)) == summary["predicted"]
        assert all((customers["expected_gain"] >= 0).all() for customers in lists)
        counts.append(summary["predicted"])
    assert counts[0] > counts[1] == 0


@pytest.fixture(scope="module")
def validated(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the catalog of the finished project after validation and retrospective."""
    project = finished.copy_to(tmp_path_factory.mktemp("runs") / "validated")
    project.run("validation", "retrospective", "reporting", params=project.params)
    return project.catalog()


def test_validation_writes_its_results(validated: Any) -> None:
    assert validated.load("later_events") == {"deleted": 0, "altered": 0, "invented": 0}
    groups = {"adverts", "exposure", "level", "plans", "thumbs", "volume"}
    assert set(validated.load("feature_groups")["group"]) == groups
    assert validated.load("label_shuffle")["auc"].between(0, 1).all()
    assert len(validated.load("imbalance_comparison")) >= 3
    assert validated.load("rolling_origin")["cutoff"].is_monotonic_increasing


def test_validation_keeps_the_run_times_of_the_default_run(finished: Any, validated: Any) -> None:
    timings = finished.catalog().load("run_timings")
    pd.testing.assert_frame_equal(validated.load("run_timings"), timings)


def test_retrospective_finds_the_leak_of_the_seed_project(validated: Any) -> None:
    seed = validated.load("retrospective.seed_comparison").set_index("project")
    assert seed.loc["seed project, published", "auc"] == 0.82
    assert 0 <= seed.loc["this project, retrospective", "weighted_f1"] <= 1
    (sentence, *_) = validated.load("retrospective.poisoned_audit")["warnings"]
    assert "+0.5 total_records" in sentence


def test_a_list_whose_horizon_is_over_is_read_out(finished: Any, tmp_path: Path) -> None:
    project = finished.copy_to(tmp_path / "campaigns")
    params = {**project.params, "cutoff": "2018-11-15"}
    project.run("scoring", params=params)
    project.run("campaigns", "reporting", params=project.params)
    catalog = project.catalog()
    summary = catalog.load("campaign_summary")
    assert (summary["finished"], summary["waiting"]) == (["2018-11-15"], ["2018-12-01"])
    customers = catalog.load("campaign_customers")
    assert set(customers["group"]) <= {"contact", "control"}
    overall = catalog.load("campaign_effects").query("campaign == '2018-11-15' and value == 'all'")
    assert overall["contacted"].item() + overall["control"].item() == len(customers)
    movements = catalog.load("customer_movements")
    assert set(movements["now"]) <= {"active", "returned", "quiet", "cancelled"}
    assert "Finished campaigns" in catalog.load("report")["text"]


@pytest.fixture(scope="module")
def inactive(
    finished: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, dict[str, Any], list[str]]:
    """Return a project that predicts inactivity, its parameters, and the logged messages.

    The settings are those of docs/own_log.md; the log has no cancellation page.
    """
    project = finished.copy_to(tmp_path_factory.mktemp("runs") / "inactive")
    page = (ROOT / "docs" / "own_log.md").read_text()
    (block,) = re.findall(
        r"^```yaml\n# conf/podcast/\S+\n(.*?)^```", page, re.DOTALL | re.MULTILINE
    )
    params = {**project.params, **yaml.safe_load(block)}
    params["validation"] |= project.params["validation"]
    params["feature_engineering"]["cancellation_page"] = "Not a page of this log"
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("sparkify").addHandler(handler)
    try:
        forecast = ("feature_engineering", "modelling", "evaluation", "scoring")
        project.run(*forecast, "monitoring", "reporting", params=params)
        project.run(
            "validation",
            node_names=["validation.change_later_events", "validation.audit_leakage"],
            params=params,
        )
    finally:
        logging.getLogger("sparkify").removeHandler(handler)
    return project, params, messages


def test_inactivity_is_predicted_without_a_cancellation_page(
    inactive: tuple[Any, dict[str, Any], list[str]],
) -> None:
    project, _, messages = inactive
    catalog = project.catalog()
    snapshots = catalog.load("snapshots").toPandas()
    days = catalog.load("user_days").select("user_id", "day").toPandas()
    days["day"], holdout = pd.to_datetime(days["day"]), pd.Timestamp("2018-11-21")
    before = days[days["day"].between("2018-10-22", "2018-11-20")]["user_id"]
    within = days[days["day"].between(holdout, "2018-11-30")]["user_id"]
    at_holdout = snapshots[pd.to_datetime(snapshots["cutoff"]) == holdout]
    assert set(at_holdout["user_id"]) == set(before)
    assert set(at_holdout.loc[at_holdout["churned"], "user_id"]) == set(before) - set(within)
    metrics, summary = catalog.load("metrics"), catalog.load("score_summary")
    assert metrics["prediction_task"]["active_within_days"] == 30
    assert 0 < metrics["holdout"]["churned"] == at_holdout["churned"].sum()
    assert "definition of a customer" in catalog.load("promotion")["reason"]
    scored = days[days["day"].between("2018-11-01", "2018-11-30")]["user_id"]
    assert summary["customers"] == scored.nunique()
    assert (summary["outcome"], summary["outcome_phrase"]) == ("inactivity", "were not seen")
    assert catalog.load("later_events") == {"deleted": 0, "altered": 0, "invented": 0}
    assert catalog.load("leakage_audit")["warnings"] == []
    assert "days_since_last_seen" in catalog.load("leakage_audit")["feature_auc"]
    assert not [message for message in messages if "Not a page of this log" in message]
    assert any("customers were not seen (simulated log)" in message for message in messages)


def test_the_report_of_inactivity_does_not_mention_cancellations(
    inactive: tuple[Any, dict[str, Any], list[str]],
) -> None:
    text = inactive[0].catalog().load("report")["text"]
    assert "a customer who is not seen within 10 days has churned" in " ".join(text.split())
    assert "which customers seen in the 30 days before were not seen within 10 days" in text
    assert "Some of them still pay and come back later" in text
    lines = [line for line in text.splitlines() if "cancel" in line.lower()]
    assert [line for line in lines if "feature_engineering" not in line] == []


def test_retrospective_needs_a_cancellation_page(
    inactive: tuple[Any, dict[str, Any], list[str]],
) -> None:
    project, params, _ = inactive
    with pytest.raises(MissingPageError, match=r"^events: no event on page 'Not a page of this"):
        project.run("retrospective", params=params)
