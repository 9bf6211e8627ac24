import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from pyspark.sql import SparkSession

from sparkify.pipelines.evaluation import customer_groups
from sparkify.pipelines.feature_engineering.log_summary import MissingPageError

ROOT = Path(__file__).parents[1]


def test_the_default_run_ends_with_holdout_metrics(finished: Any, spark: SparkSession) -> None:
    metrics = finished.catalog().load("metrics")
    assert metrics["source"] == "simulated"
    assert metrics["champion"]["candidate"] in {"logistic_regression", "random_forest"}
    question = metrics["question"]
    assert (question["cutoff"], question["horizon_days"]) == ("2018-11-21", 10)
    assert max(question["train_cutoffs"]) == "2018-11-07"
    for part in ("holdout", "train"):
        assert 0 < metrics[part]["churned"] < metrics[part]["users"]
    for name in ("auc", "average_precision", "log_loss", "brier", "precision", "recall"):
        assert metrics["holdout"][name]["value"] >= 0
        assert metrics["holdout"][name]["ci95"] is None
    assert metrics["holdout"]["churned"] < 5  # too few for intervals
    assert set(metrics["gain_over_baselines"]) == {"longest_away", "most_songs"}
    assert metrics["unseen_users"]["users"] < metrics["holdout"]["users"]
    assert set(metrics["baselines"]) == {"base_rate", "longest_away", "most_songs"}
    assert len(metrics["candidates"]) == 2
    json.dumps(metrics, allow_nan=False)


def test_the_saved_model_alone_gives_the_forecast(finished: Any) -> None:
    catalog = finished.catalog()
    forecast = catalog.load("churn_model").transform(catalog.load("test"))
    told = forecast.select("user_id", "probability").toPandas()
    saved = catalog.load("test_predictions").select(*told.columns).toPandas()
    pd.testing.assert_frame_equal(
        *(rows.sort_values("user_id", ignore_index=True) for rows in (told, saved))
    )


def test_the_default_run_scores_the_customers_of_the_newest_day(finished: Any) -> None:
    catalog = finished.catalog()
    scores = catalog.load("churn_scores_csv")
    summary = catalog.load("score_summary")
    assert summary["cutoff"] == "2018-12-01"
    assert summary["is_forecast"]
    assert summary["customers"] == len(scores) == catalog.load("churn_scores").count()
    called = pd.concat([catalog.load("contacts"), catalog.load("control_group")])
    assert set(called["user_id"]) == set(scores.loc[scores["predicted"], "user_id"])
    assert summary["to_contact"] + summary["control"] == len(called)
    shown = pd.concat([catalog.load("contacts_csv"), catalog.load("control_group_csv")])
    assert shown["user_id"].tolist() == called["user_id"].tolist()
    assert shown["probability"].tolist() == called["probability"].round(4).tolist()


def test_an_earlier_day_is_scored_beside_the_newest(finished: Any, tmp_path: Path) -> None:
    project = finished.copied(tmp_path / "earlier")
    catalog = project.catalog()
    kept = catalog.load("churn_scores_csv")
    project.run("scoring", params={**project.params, "cutoff": "2018-11-21"})
    assert set(catalog.load("churn_scores_csv")["cutoff"]) == {"2018-11-21"}
    history = catalog.load("score_history")
    assert set(history) == {"2018-11-21", "2018-12-01"}
    newest = history["2018-12-01"]().set_index("user_id")["probability"].round(4)
    assert newest.to_dict() == kept.set_index("user_id")["probability"].to_dict()
    holdout = catalog.load("test_predictions").toPandas().set_index("user_id")["probability"]
    scored = history["2018-11-21"]().set_index("user_id")["probability"]
    pd.testing.assert_series_equal(scored, holdout, check_like=True)


def versions(project: Any) -> dict[str, list[str]]:
    """Return what has been put into service, by dataset."""
    folders = {
        "churn_model": project.folder / "data/06_models/mini/churn_model",
        "champion": project.folder / "data/06_models/mini/champion.json",
        "promotion": project.folder / "data/08_reporting/mini/promotion.json",
    }
    return {
        name: sorted(version.name for version in folder.iterdir()) if folder.exists() else []
        for name, folder in folders.items()
    }


def test_a_model_is_in_service_only_after_all_of_its_evaluation(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = finished.copied(tmp_path / "failing")
    modelling = {**project.params["modelling"], "promotion": {"replace": "always"}}
    params = {**project.params, "modelling": modelling}
    before = versions(project)
    assert {name: len(found) for name, found in before.items()} == dict.fromkeys(before, 1)

    def evaluate() -> None:
        project.run("modelling", from_nodes=["modelling.compare_with_champion"], params=params)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(contact_profit, "_profits", fail)
        with pytest.raises(ZeroDivisionError):
            evaluate()
    assert versions(project) == before
    shutil.rmtree(project.folder / "data/06_models/mini/churn_model")
    with monkeypatch.context() as broken:
        broken.setattr(customer_groups, "_measured", fail)
        with pytest.raises(ZeroDivisionError):
            evaluate()
    assert versions(project)["churn_model"] == []
    evaluate()
    assert {name: len(found) for name, found in versions(project).items()} == {
        "churn_model": 1,
        "champion": 2,
        "promotion": 2,
    }


def test_the_list_is_made_by_the_costs_of_the_run_that_makes_it(
    finished: Any, tmp_path: Path
) -> None:
    project = finished.copied(tmp_path / "dearer")
    decision = {"threshold": "profit", "contact_success": 0.5, "kept_customer_value": 100}
    listed = []
    for cost in (5, 60):
        modelling = {**project.params["modelling"], "decision": {**decision, "contact_cost": cost}}
        project.run("scoring", params={**project.params, "modelling": modelling})
        catalog = project.catalog()
        summary = catalog.load("score_summary")
        probability = catalog.load("churn_scores").toPandas()["probability"]
        assert summary["decision"]["threshold"] == min(cost / 50, 1)
        assert summary["predicted"] == (probability >= cost / 50).sum()
        called = [catalog.load("contacts"), catalog.load("control_group")]
        assert sum(map(len, called)) == summary["predicted"]
        assert all((customers["expected_gain"] >= 0).all() for customers in called)
        listed.append(summary["predicted"])
    assert listed[0] > listed[1] == 0


@pytest.fixture(scope="module")
def studied(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the catalog of the finished project with its champion studied and asked backwards."""
    project = finished.copied(tmp_path_factory.mktemp("runs") / "studied")
    project.run("validation", "retrospective", "reporting", params=project.params)
    return project.catalog()


def test_the_champion_is_studied(studied: Any) -> None:
    assert studied.load("later_events") == {"deleted": 0, "altered": 0, "invented": 0}
    groups = {"adverts", "exposure", "level", "plans", "thumbs", "volume"}
    assert set(studied.load("feature_groups")["group"]) == groups
    assert studied.load("label_shuffle")["auc"].between(0, 1).all()
    assert len(studied.load("imbalance_comparison")) >= 3
    assert studied.load("rolling_origin")["cutoff"].is_monotonic_increasing


def test_a_run_of_studies_leaves_the_run_times_of_the_forecast_alone(
    finished: Any, studied: Any
) -> None:
    timings = finished.catalog().load("run_timings")
    pd.testing.assert_frame_equal(studied.load("run_timings"), timings)


def test_the_seed_project_s_question_is_asked_and_its_leak_found(studied: Any) -> None:
    seed = studied.load("retrospective.seed_comparison").set_index("project")
    assert seed.loc["seed project, published", "auc"] == 0.82
    assert 0 <= seed.loc["this project, retrospective", "weighted_f1"] <= 1
    (sentence, *_) = studied.load("retrospective.poisoned_audit")["not_to_be_believed"]
    assert "+0.5 total_records" in sentence


@pytest.fixture(scope="module")
def inactive(
    finished: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, dict[str, Any], list[str]]:
    """Return the finished project asked for inactivity, its parameters, and what was logged.

    The settings are those of docs/own_log.md, and no page is the cancellation page.
    """
    project = finished.copied(tmp_path_factory.mktemp("runs") / "inactive")
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
        names = ("feature_engineering", "modelling", "scoring", "monitoring", "reporting")
        project.run(*names, params=params)
        project.run(
            "validation",
            node_names=["validation.change_later_events", "validation.audit_leakage"],
            params=params,
        )
    finally:
        logging.getLogger("sparkify").removeHandler(handler)
    return project, params, messages


def test_a_log_without_a_cancellation_page_is_forecast_by_inactivity(
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
    assert metrics["question"]["active_within_days"] == 30
    assert 0 < metrics["holdout"]["churned"] == at_holdout["churned"].sum()
    assert "who is a customer" in catalog.load("promotion")["reason"]
    scored = days[days["day"].between("2018-11-01", "2018-11-30")]["user_id"]
    assert summary["customers"] == scored.nunique()
    assert (summary["outcome"], summary["happened"]) == ("inactivity", "were not seen")
    assert catalog.load("later_events") == {"deleted": 0, "altered": 0, "invented": 0}
    assert catalog.load("leakage_audit")["not_to_be_believed"] == []
    assert "days_since_last_seen" in catalog.load("leakage_audit")["auc_of_each_feature"]
    assert not [message for message in messages if "Not a page of this log" in message]
    assert any("customers were not seen (simulated log)" in message for message in messages)


def test_the_report_says_that_customers_were_not_seen(
    inactive: tuple[Any, dict[str, Any], list[str]],
) -> None:
    text = inactive[0].catalog().load("report_md")
    assert "Customers who will not be seen within 10 days count as churned" in text
    assert "which customers seen in the 30 days before were not seen within 10 days" in text
    assert "Some of them still pay and come back later" in text
    kept = [line for line in text.splitlines() if "cancel" in line.lower()]
    assert [line for line in kept if "feature_engineering" not in line] == []


def test_without_cancellations_the_seed_project_s_question_is_refused(
    inactive: tuple[Any, dict[str, Any], list[str]],
) -> None:
    project, params, _ = inactive
    with pytest.raises(MissingPageError, match=r"^events: no event on page 'Not a page of this"):
        project.run("retrospective", params=params)
