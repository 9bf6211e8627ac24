from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from sparkify.errors import TooLittleDataError
from sparkify.pipelines.evaluation.nodes import evaluate_champion
from sparkify.pipelines.feature_engineering.log_summary import MissingPageError
from sparkify.pipelines.modelling import cross_validation as fitting
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.retrospective import nodes


def create_user_days(spark: SparkSession, *rows: tuple[str, int, int, int, int]) -> DataFrame:
    """Return days of (user, day of November, songs, other pages, cancellations)."""
    columns = ["user_id", "day", "next_song", "other_pages", "cancellations"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["day"] = [date(2018, 11, day) for day in frame["day"]]
    return spark.createDataFrame(frame.assign(free_next_song=0, sessions=1, listening_ms=9))


def test_every_user_has_one_row_at_the_end_of_the_log(spark: SparkSession) -> None:
    days = create_user_days(spark, ("a", 1, 5, 0, 0), ("a", 2, 1, 1, 1), ("b", 9, 2, 0, 0))
    rows = nodes.label_whole_histories(days).orderBy("user_id").collect()
    end = date(2018, 11, 10)
    assert [tuple(row) for row in rows] == [("a", end, True), ("b", end, False)]


def create_labelled(
    spark: SparkSession, churners: int, stayers: int
) -> tuple[DataFrame, DataFrame]:
    end = date(2018, 12, 1)
    rows = [(f"u{n}", end, n < churners) for n in range(churners + stayers)]
    snapshots = spark.createDataFrame(rows, "user_id string, cutoff date, churned boolean")
    features = snapshots.selectExpr("user_id", "cutoff", "1.0D next_song", "2.0D other_pages")
    return features, snapshots


def run_split(tables: tuple[DataFrame, DataFrame], parameters: dict[str, Any]) -> tuple[Any, ...]:
    settings = parameters["modelling"], parameters["evaluation"].max_customers
    return nodes.split_by_user(*tables, {"missing_pages": {}}, *settings)


def test_histories_are_split_by_user(spark: SparkSession, parameters: dict[str, Any]) -> None:
    train, test, prediction_task = run_split(create_labelled(spark, 60, 90), parameters)
    trained = {row["user_id"] for row in train.collect()}
    held_out = {row["user_id"] for row in test.collect()}
    assert len(trained) + len(held_out) == 150
    assert not trained & held_out
    assert len(held_out) == pytest.approx(30, abs=12)
    assert prediction_task == {
        "description": "users by hash, cancelled at any time",
        "outcome": "cancellation",
        "outcome_phrase": "cancelled",
    }


def test_a_log_without_cancellations_is_an_error(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    page = "feature_engineering.cancellation_page"
    summary = {"missing_pages": {page: "Foo"}, "pages": {"NextSong": 9}}
    with pytest.raises(MissingPageError, match=r"^events: no event on page 'Foo'.* who cancelled"):
        nodes.split_by_user(*create_labelled(spark, 1, 1), summary, parameters["modelling"], 1_000)


def test_the_inputs_include_neither_the_cancellation_flow_nor_a_clock(
    parameters: dict[str, Any],
) -> None:
    bag = set(parameters["retrospective"]["inputs"].plain)
    clocks = {"observed_days", "days_since_last_seen", "account_age_days"}
    assert not bag & {"other_pages", "cancellations", *clocks}


def test_too_few_churners_are_an_error_with_the_counts(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    with pytest.raises(TooLittleDataError, match=r"churners among the training users and"):
        run_split(create_labelled(spark, 3, 20), parameters)


def test_the_threshold_is_the_best_f1_by_any_rule_of_the_forecast(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    few = parameters["evaluation"].model_copy(update={"bootstrap_resamples": 2})
    assert few.decision.threshold == "profit"
    rows = [("a", True, 0.03), ("b", False, 0.01), ("c", True, 0.9), ("d", False, 0.5)]
    schema = "user_id string, churned boolean, probability double"
    predictions = spark.createDataFrame(rows, schema).selectExpr(
        "*", "date'2018-12-01' as cutoff", "true as is_trainable", "0 as trial", "0 as repeat"
    )
    out_of_fold = predictions.withColumn("fold", F.ascii("user_id") % 2)
    champion, cv_results = {"f1_threshold": 0.02}, pd.DataFrame({"trial": [0]})
    calibration = {"method": "none", "f1_threshold": 0.02}
    tables = predictions, predictions, out_of_fold
    results = *tables, {"trial": 0}, calibration, cv_results, champion, {"source": "provided"}, {}
    metrics = nodes.evaluate_at_best_f1(few, *results)
    assert (metrics["decision"]["threshold"], metrics["decision"]["threshold_by"]) == (0.02, "f1")
    assert metrics["holdout"]["precision"]["value"] == pytest.approx(2 / 3)
    forecast = evaluate_champion(few, *results)
    assert forecast["decision"]["threshold_by"] == "profit"
    assert forecast["decision"]["threshold"] > 0.03


def test_the_audit_reports_the_seed_project_s_total(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    days = create_user_days(
        spark,
        *[(f"u{n}", 1 + n % 9, n * n % 37, int(n % 3 == 0), int(n % 3 == 0)) for n in range(60)],
    )
    end = nodes.label_whole_histories(days)
    sums = days.selectExpr(
        "user_id", "cast(next_song as double) next_song", "cast(sessions as double) sessions"
    )
    train = end.join(sums, on="user_id", how="inner")
    bag = InputParameters.model_validate(
        {"rates": {}, "plain": {"next_song": {"group": "bag"}}, "moderator": None}
    )
    validation = parameters["validation"]
    exposure = validation.leakage.model_copy(update={"exposure": ("next_song", "sessions")})
    result = nodes.audit_poisoned(
        train, days, bag, validation.model_copy(update={"leakage": exposure})
    )
    assert result["identity"]["terms"] == {"next_song": -0.5, "total_records": 0.5}
    assert "-0.5 next_song +0.5 total_records" in result["warnings"][0]


def test_weighted_metrics_and_churn_class_metrics_are_compared(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    end = date(2018, 12, 1)
    rows = [
        ("a", end, True, 0.9),
        ("b", end, True, 0.2),
        ("c", end, False, 0.3),
        ("d", end, False, 0.1),
    ]
    schema = "user_id string, cutoff date, churned boolean, probability double"
    metrics = {
        "champion": {"label": "logistic regression"},
        "decision": {"threshold": 0.9},
        "source": "simulated",
    }
    published = parameters["retrospective"]["seed_project"]
    result = nodes.compare_with_seed_project(
        spark.createDataFrame(rows, schema), metrics, published
    )
    ours, no_churn, seed_project = result.to_dict("records")
    assert ours["churn_precision"] == 1.0
    assert ours["churn_recall"] == 0.5
    assert ours["weighted_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert ours["weighted_recall"] == ours["accuracy"] == 0.75
    assert ours["auc"] == 0.75
    assert (no_churn["accuracy"], no_churn["churn_f1"]) == (0.5, 0.0)
    assert seed_project["auc"] == 0.82


def read_genuine_totals(spark: SparkSession, real: Path) -> DataFrame:
    """Read the whole-history totals of the published mini log's 225 users."""
    totals = pd.read_csv(real / "mini_user_totals.csv", dtype={"user_id": str})
    rows = totals.drop(columns=["gender"]).assign(cutoff=date(2018, 12, 4), is_trainable=True)
    counts = [c for c in rows.columns if c not in ("user_id", "cutoff", "churned", "is_trainable")]
    rows[counts] = rows[counts].astype(float)
    return spark.createDataFrame(rows.assign(churned=rows["churned"] == 1))


def compute_repeated_auc(
    train: DataFrame, inputs: InputParameters, parameters: dict[str, Any]
) -> float:
    linear = {"logistic_regression": {"regParam": [0.03]}}
    repeated = {"candidates": linear, "folds": 5, "fold_repeats": 3}
    modelling = parameters["modelling"].model_copy(update=repeated)
    forecast = fitting.predict_out_of_fold(train, inputs, modelling).toPandas()
    by_repeat = forecast.groupby("repeat")
    return float(
        by_repeat.apply(
            lambda rows: roc_auc_score(rows["churned"], rows["probability"]), include_groups=False
        ).mean()
    )


def test_genuine_totals_give_the_published_auc(
    spark: SparkSession, real: Path, parameters: dict[str, Any]
) -> None:
    train = read_genuine_totals(spark, real)
    plain = [c for c in train.columns if c not in ("user_id", "cutoff", "churned", "is_trainable")]
    published = InputParameters.model_validate(
        {
            "rates": {},
            "plain": {name: {"group": "bag"} for name in plain},
            "moderator": None,
        }
    )
    assert compute_repeated_auc(train, published, parameters) == pytest.approx(0.85, abs=0.04)


def test_genuine_rates_alone_give_a_much_lower_auc(
    spark: SparkSession, real: Path, parameters: dict[str, Any]
) -> None:
    train = read_genuine_totals(spark, real)
    pages = ["thumbs_up", "thumbs_down", "add_to_playlist", "add_friend", "roll_advert", "home"]
    pages += ["help", "settings", "about", "upgrade", "downgrade", "error"]
    rates = InputParameters.model_validate(
        {
            "rates": {
                f"{page}_per_song": {
                    "count": page,
                    "per": "next_song",
                    "prior": 100,
                    "group": "rates",
                }
                for page in pages
            },
            "plain": {},
            "moderator": None,
        }
    )
    assert compute_repeated_auc(train, rates, parameters) == pytest.approx(0.65, abs=0.05)
