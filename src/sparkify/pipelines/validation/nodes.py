"""Tests of the champion: other candidates, weeks and sizes, shuffled labels, inputs, leakage."""

from datetime import timedelta
from functools import reduce
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from scipy.stats import t

from sparkify.ml import metrics
from sparkify.ml.bootstrap import estimate_metrics, flatten_estimates
from sparkify.ml.probability_limits import MAX_PROBABILITY, MIN_PROBABILITY
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import cross_validation, selection
from sparkify.pipelines.modelling.candidates import Trial
from sparkify.pipelines.modelling.folds import is_trainable, require_folds
from sparkify.pipelines.modelling.inputs import list_feature_columns
from sparkify.pipelines.modelling.model_card import summarize_training
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.modelling.resampling import TooManyRowsError
from sparkify.pipelines.modelling.split import count_by_cutoff, split_at
from sparkify.pipelines.validation import curves, leakage, refit
from sparkify.pipelines.validation.parameters import ValidationParameters
from sparkify.schemas import CANDIDATE_PREDICTIONS, KEYS
from sparkify.spark.functions import collect_one_row

REMEDIES = ("none", "weights", "smote")


def predict_with_candidates(
    train: DataFrame,
    test: DataFrame,
    cv_results: pd.DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> DataFrame:
    """Predict the hold-out with every candidate at its best settings, for comparison only.

    One row per candidate, user and cutoff.
    """
    best = selection.select_best_trials(cv_results, modelling)
    with cross_validation.prepared_rows(train, inputs, modelling) as prepared:
        fits = [(prepared, trial, modelling) for trial in best.values()]
        models = cross_validation.run_concurrently(
            cross_validation.fit_trial, fits, test, modelling.parallel_fits
        )
    predictions = [
        cross_validation.predict_uncalibrated(model, test).withColumn("candidate", F.lit(candidate))
        for candidate, model in zip(best, models, strict=True)
    ]
    return reduce(DataFrame.unionByName, predictions).select(*CANDIDATE_PREDICTIONS.columns)


def roll_origin(
    features: DataFrame,
    snapshots: DataFrame,
    champion: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Predict every cutoff that has enough training rows before it, with only those rows.

    One row per cutoff: training cutoffs, users, churners, AUC and average precision with their
    95 % intervals. Training rows and users are samples beyond a size, as in `split_in_time`.
    """
    labelled = snapshots.withColumn("is_trainable", is_trainable(modelling))
    embargo = timedelta(days=feature_engineering.horizon_days)
    table = []
    with cross_validation.cache_rows(labelled.join(features, on=KEYS, how="inner")) as rows:
        counts = count_by_cutoff(rows)
        for cutoff in counts:
            earlier = [day for day in counts if day + embargo <= cutoff]
            if (
                sum(counts[day]["churned"] for day in earlier) < modelling.min_train_churned
                or counts[cutoff]["churned"] < modelling.min_holdout_churned
            ):
                continue
            whole = split_at(rows, counts, earlier, cutoff)
            train, test = (
                side.snapshots for side in whole.sample(modelling, evaluation.max_customers)
            )
            trial = Trial.from_description(champion)
            forecast = refit.refit_and_predict(train, test, trial, inputs, modelling)
            table.append(
                {
                    "cutoff": str(cutoff),
                    "training_cutoffs": len(earlier),
                    "users": len(forecast),
                    "churned": int(forecast["churned"].sum()),
                    "base_rate": float(forecast["churned"].mean()),
                    **refit.evaluate_ranking(forecast, evaluation.bootstrap),
                }
            )
    return pd.DataFrame(table)


def evaluate_time_to_leave(
    features: DataFrame,
    snapshots: DataFrame,
    user_days: DataFrame,
    champion: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    feature_engineering: FeatureEngineeringParameters,
    validation: ValidationParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Evaluate the probability to have left by a day, on outcomes after the training data.

    Each day of `validation.curve_days` is evaluated on the last cutoff that the log shows for so
    long. Model and curve are trained anew with the champion's settings, on the cutoffs whose
    horizon ends by then, and know no day from then on. A day with too few churners before is left
    out.

    Returns:
        The metrics, one row per day and predictor: the curves, and the Kaplan-Meier estimates of
        the same training rows, by segment and for all. `observed` is the share who have left,
        `shown_days` the longest follow-up in training; beyond it a forecast is an extrapolation.
        AUC and Brier score have 95 % intervals over users.

        The calibration, one row per cutoff and day: `observed`, and the predictors' means. And for
        the report the metrics, with the fingerprint of the champion's training data.
    """
    study = curves.CurveStudy(user_days, champion, inputs, modelling, feature_engineering)
    embargo = timedelta(days=feature_engineering.horizon_days)
    labelled = snapshots.withColumn("is_trainable", is_trainable(modelling))
    scores: list[dict[str, Any]] = []
    calibration: list[pd.DataFrame] = []
    with cross_validation.cache_rows(labelled.join(features, on=KEYS, how="inner")) as rows:
        counts = count_by_cutoff(rows)
        cutoffs = [*counts]
        log_end = cutoffs[-1] + embargo
        for cutoff, days in curves.group_days(validation.curve_days, cutoffs, log_end).items():
            earlier = [day for day in cutoffs if day + embargo <= cutoff]
            training, holdout = split_at(rows, counts, earlier, cutoff)
            if not curves.is_trainable_on(training, modelling):
                continue
            train = training.snapshots
            trained = study.train(train, cutoff, max(days))
            test = holdout.snapshots.orderBy(F.xxhash64("user_id"))
            sample = test.limit(validation.curve_max_customers)
            customers = study.find_outcomes(trained, sample, log_end)
            forecasts = study.forecast(customers, trained, train, max(days))
            calibration.append(curves.compare_shares(customers, forecasts, cutoff))
            origin = {"cutoff": str(cutoff), "training_cutoffs": len(earlier)}
            origin |= {"shown_days": trained.curve.days}
            for day in days:
                measured = curves.score_day(customers, forecasts, day, evaluation.bootstrap)
                scores += [{"day": day, **origin, **row} for row in measured]
    table = pd.DataFrame(scores, columns=curves.METRIC_COLUMNS).sort_values("day", kind="stable")
    rows_for_report = table.astype(object).where(table.notna(), None).to_dict("records")
    summary = {"fingerprint": champion["training"]["fingerprint"], "rows": rows_for_report}
    unknown = pd.DataFrame(columns=curves.CALIBRATION_COLUMNS)
    return table, pd.concat(calibration or [unknown], ignore_index=True), summary


def learn_from_fewer(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    cv_results: pd.DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    validation: ValidationParameters,
) -> pd.DataFrame:
    """Train on samples of users, selected by hash, and predict the full hold-out.

    One row per number of users, repeat and candidate: the champion and the simplest, which may be
    the best with few users. Omits sizes above the number of training users, and
    samples with fewer churners than `modelling.min_train_churned`.
    """
    table = []
    with cross_validation.cache_rows(train) as rows:
        users = rows.select("user_id").distinct()
        total = users.count()
        sizes = {size for size in validation.learning_curve_users if size < total} | {total}
        for size in sorted(sizes):
            for repeat in range(validation.learning_curve_repeats if size < total else 1):
                sample = users.orderBy(F.xxhash64("user_id", F.lit(repeat))).limit(size)
                sample_rows = rows.join(sample, on="user_id", how="left_semi")
                churned = sample_rows.where("churned").count()
                if churned < modelling.min_train_churned:
                    continue
                for trial in refit.select_champion_and_simplest(champion, cv_results, modelling):
                    forecast = refit.refit_and_predict(sample_rows, test, trial, inputs, modelling)
                    row = {"users": size, "repeat": repeat, "candidate": trial.candidate}
                    ranking = refit.evaluate_ranking(forecast, evaluation.bootstrap)
                    table.append({**row, "churned": churned, **ranking})
    return pd.DataFrame(table)


def shuffle_labels(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    validation: ValidationParameters,
) -> pd.DataFrame:
    """Train on labels permuted among all snapshots; the ranking must then be random.

    One row per permutation: the hold-out's AUC and average precision. The last row, `all`, has
    their means with a 95 % interval over permutations (Student's t). An interval over users would
    not include the variance between random models.
    """
    rows = []
    for shuffle in range(validation.label_shuffles):
        # One partition: a permutation needs all labels in order, and labels are small.
        by_hash = Window.partitionBy().orderBy(F.xxhash64(*KEYS, F.lit(shuffle)), *KEYS)
        by_key = Window.partitionBy().orderBy(*KEYS)
        labels = train.select("churned", F.row_number().over(by_hash).alias("place"))
        places = train.drop("churned").withColumn("place", F.row_number().over(by_key))
        shuffled = places.join(labels, on="place", how="inner").drop("place")
        trial = Trial.from_description(champion)
        forecast = refit.refit_and_predict(shuffled, test, trial, inputs, modelling)
        values = estimate_metrics(forecast, refit.RANKING, None)
        rows.append({"shuffle": str(shuffle), **{name: values[name]["value"] for name in values}})
    table = pd.DataFrame(rows)
    summary: dict[str, Any] = {"shuffle": "all"}
    for name in refit.RANKING:
        mean, error = table[name].mean(), table[name].sem()
        low, high = t.interval(0.95, len(table) - 1, loc=mean, scale=error)
        summary |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return pd.concat([table, pd.DataFrame([summary])], ignore_index=True)


def compare_imbalance(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    cv_results: pd.DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Compare class weights and SMOTE with no correction of the class imbalance.

    One row per correction and candidate (the champion and the simplest): ranking and calibration of
    the uncalibrated hold-out predictions, with 95 % intervals over users. `left_out` is the reason
    for a missing SMOTE result: more rows than `modelling.smote_max_rows`.
    """
    chosen = metrics.RANKING | metrics.PROBABILITY | metrics.CALIBRATION
    limits = MIN_PROBABILITY, MAX_PROBABILITY
    table = []
    for trial in refit.select_champion_and_simplest(champion, cv_results, modelling):
        for remedy in REMEDIES:
            row: dict[str, Any] = {"candidate": trial.candidate, "imbalance": remedy}
            changed = modelling.model_copy(update={"imbalance": remedy})
            try:
                forecast = refit.refit_and_predict(train, test, trial, inputs, changed)
            except TooManyRowsError as error:
                table.append({**row, "left_out": str(error)})
                continue
            probability = forecast["probability"]
            clipped = forecast.assign(probability=probability.clip(*limits))
            values = flatten_estimates(estimate_metrics(clipped, chosen, evaluation.bootstrap))
            mean = float(probability.mean())
            table.append({**row, "left_out": None, **values, "mean_forecast": mean})
    return pd.DataFrame(table)


def drop_feature_groups(
    train: DataFrame,
    test: DataFrame,
    champion: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Drop each group of inputs and predict the hold-out with the rest.

    One row per group, the highest loss of AUC first. `auc_cost` and `average_precision_cost` are
    losses, `log_loss_cost` is an increase; all have 95 % intervals over users.
    """
    trial = Trial.from_description(champion)
    full = refit.refit_and_predict(train, test, trial, inputs, modelling)
    table = []
    for group, dropped in inputs.groups.items():
        rest = refit.refit_and_predict(train, test, trial, inputs.drop_group(group), modelling)
        costs = metrics.compare_forecasts(full, rest, evaluation.bootstrap)
        row = {"group": group, "inputs": ", ".join(dropped)}
        table.append({**row, **flatten_estimates(costs, "_cost")})
    return pd.DataFrame(table).sort_values("auc_cost", ascending=False, ignore_index=True)


def change_later_events(
    user_days: DataFrame,
    snapshots: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Count the rows of features that change with events at or after the last cutoff.

    These events are deleted, altered, and invented for every customer seen before. The features
    of the cutoff must not change.
    """
    cutoff = F.lit(collect_one_row(snapshots.agg(F.max("cutoff")))[0])
    at_last = snapshots.where(F.col("cutoff") == cutoff)
    before, later = user_days.where(F.col("day") < cutoff), user_days.where(F.col("day") >= cutoff)
    counts = [name for name, kind in user_days.dtypes if kind == "bigint"]
    other_level = F.when(F.col("level") == "paid", "free").otherwise("paid")
    altered = later.withColumns(
        {**{name: F.col(name) * 7 + 1 for name in counts}, "level": other_level}
    )
    shift = F.date_diff(cutoff, F.col("day"))
    invented = before.withColumns(
        {"day": cutoff, "last_ts": F.col("last_ts") + F.make_dt_interval(days=shift)}
    )
    changes = {
        "deleted": before,
        "altered": before.unionByName(altered),
        "invented": user_days.unionByName(invented),
    }
    unchanged = engineering.compute_features(user_days, at_last, feature_engineering)
    return {
        change: leakage.count_different_rows(
            unchanged, engineering.compute_features(days, at_last, feature_engineering)
        )
        for change, days in changes.items()
    }


def audit_leakage(
    train: DataFrame,
    inputs: InputParameters,
    validation: ValidationParameters,
    later_events: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure how well exposure, rates, each feature and a weighted sum of all predict the label.

    Args:
        train: one row per user and cutoff, with features and `churned`.
        inputs: the inputs of models; without `plain`, every feature.
        validation: the limits above which a value means a leak.
        later_events: the result of `change_later_events`; None where it was not run.

    Returns:
        `warnings`, empty if there is no sign of a leak, and the measured values.

    Raises:
        TooLittleDataError: if fewer users churned than there are folds.
    """
    limits = validation.leakage
    rows = leakage.sample_users(train, limits.max_users)
    churners = rows.loc[rows["churned"], "user_id"].nunique()
    require_folds("validation.leakage.folds", limits.folds, churners)
    used = leakage.list_used_features(list_feature_columns(train), inputs)
    counts = rows[used].astype(float)
    label, users = rows["churned"].astype(int), rows["user_id"]
    exposure = rows[list(limits.exposure)].astype(float)
    rates = counts.div(rows[limits.per].clip(lower=1), axis="index")
    rates = rates.drop(columns=[limits.per], errors="ignore")
    by_feature = {name: leakage.compute_feature_auc(label, counts[name]) for name in used}
    audit = {
        "training": summarize_training(train),
        "rows": len(rows),
        "base_rate": float(label.mean()),
        "auc_of_exposure": leakage.cross_validate_auc(exposure, label, users, limits.folds),
        "auc_of_rates": leakage.cross_validate_auc(rates, label, users, limits.folds),
        "feature_auc": dict(sorted(by_feature.items(), key=lambda item: -item[1])),
        "identity": leakage.fit_identity(counts, label),
        "later_events": later_events,
    }
    return {"warnings": leakage.format_warnings(audit, limits), **audit}
