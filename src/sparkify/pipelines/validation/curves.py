"""Evaluate curves of leaving, each day on the last cutoff that the log shows for so long."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from sparkify.errors import TooLittleDataError
from sparkify.figure_style import (
    BAD,
    MODEL,
    REFERENCE,
    TEXT_SIZE,
    add_legend,
    create_figure,
    format_percent,
)
from sparkify.ml import metrics
from sparkify.ml.bootstrap import (
    Array,
    Bootstrap,
    compute_interval,
    draw_row_weights,
    flatten_estimates,
    has_enough_churners,
)
from sparkify.ml.hazard_model import count_person_periods
from sparkify.ml.leaving_curve import LeavingCurve
from sparkify.ml.segments import add_likely_segment
from sparkify.ml.survival import (
    compute_brier_score,
    compute_censoring_weights,
    count_by_day,
    estimate_kaplan_meier,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import nodes as training
from sparkify.pipelines.modelling.cross_validation import cache_rows
from sparkify.pipelines.modelling.departures import (
    find_departures,
    forecast_out_of_fold,
    get_first_day,
    learn_leaving_curve,
)
from sparkify.pipelines.modelling.folds import require_churners_in_folds
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.modelling.split import Side
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

CURVE, SEGMENT, ALL = "curve", "kaplan_meier_of_segment", "kaplan_meier_of_all"
LABELS = {
    CURVE: "curve of each customer",
    SEGMENT: "Kaplan-Meier of the segment",
    ALL: "Kaplan-Meier of all",
}
METRIC_COLUMNS = [
    *("day", "cutoff", "training_cutoffs", "shown_days", "predictor", "customers", "left"),
    *("observed", "mean_forecast", "calibration_error", "calibration_slope"),
    *("auc", "auc_low", "auc_high", "brier", "brier_low", "brier_high"),
]
CALIBRATION_COLUMNS = ["cutoff", "day", "customers", "observed", *LABELS]


class Trained(NamedTuple):
    """A model and the course of leaving, trained on the cutoffs before another one."""

    model: PipelineModel
    curve: LeavingCurve


def group_days(days: tuple[int, ...], cutoffs: list[date], log_end: date) -> dict[date, list[int]]:
    """Return the days by the last cutoff that has so much follow-up."""
    groups: dict[date, list[int]] = {}
    for day in sorted(days):
        shown = [cutoff for cutoff in cutoffs if cutoff + timedelta(days=day) <= log_end]
        if shown:
            groups.setdefault(shown[-1], []).append(day)
    return groups


def is_trainable_on(training: Side, modelling: ModellingParameters) -> bool:
    """Return whether training rows have enough churners, in each fold too."""
    if training.churned < modelling.min_train_churned:
        return False
    try:
        require_churners_in_folds(training.snapshots, modelling)
    except TooLittleDataError:
        return False
    return True


class CurveStudy(NamedTuple):
    """Curves trained with a champion's settings on earlier parts of the log."""

    user_days: DataFrame
    champion: dict[str, Any]
    inputs: InputParameters
    modelling: ModellingParameters
    feature_engineering: FeatureEngineeringParameters

    def train(self, train: DataFrame, cutoff: date, days: int) -> Trained:
        """Fit model, calibration and curve as the pipeline `modelling` does.

        Args:
            train: training rows whose horizon ends by the cutoff.
            cutoff: the day from which nothing is known.
            days: the last day of the curve.
        """
        card, engineering = self.champion, self.feature_engineering
        settings = {name: [value] for name, value in card["settings"].items()}
        as_champion = {
            "candidates": {card["candidate"]: settings},
            "calibrations": (card["calibration"],),
            "imbalance": card["imbalance"],
        }
        chosen = self.modelling.model_copy(update=as_champion)
        names = ("candidate", "settings", "label", "imbalance")
        selected = {"trial": 0, **{name: card[name] for name in names}}
        with cache_rows(training.cross_validate(train, self.inputs, chosen)) as predictions:
            calibration = training.calibrate(predictions, selected, chosen)
            forecasts = forecast_out_of_fold(predictions, 0, calibration)
            curve = learn_leaving_curve(
                forecasts, self.user_days, cutoff, days, chosen.curve_prior, engineering
            )
        model, _ = training.fit_selected(train, selected, calibration, self.inputs, chosen)
        return Trained(model, curve)

    def find_outcomes(self, trained: Trained, test: DataFrame, log_end: date) -> pd.DataFrame:
        """Return probability, segment and outcome of each customer, sorted by key."""
        with_segment = add_likely_segment(trained.model, test)
        predicted = trained.model.transform(with_segment)
        columns = predicted.select(*KEYS, "probability", "segment")
        departures = find_departures(columns, self.user_days, log_end, self.feature_engineering)
        return to_sorted_pandas(departures, *KEYS)

    def forecast(
        self, customers: pd.DataFrame, trained: Trained, train: DataFrame, days: int
    ) -> dict[str, Array]:
        """Return each predictor's probability to have left: a row per customer, a column per day.

        Args:
            customers: one row per customer of one cutoff, with `probability` and `segment`.
            trained: the model and the curve.
            train: the rows that they were trained on.
            days: number of days.
        """
        cutoff: date = customers["cutoff"].iloc[0]
        weekdays = np.full(len(customers), cutoff.weekday())
        with_segment = add_likely_segment(trained.model, train).select(*KEYS, "segment")
        departures = find_departures(
            with_segment.fillna(ALL), self.user_days, cutoff, self.feature_engineering
        )
        first_day = get_first_day(self.feature_engineering)
        counts = count_person_periods(departures, first_day, days, ["segment", "day"]).toPandas()
        by_segment = {name: _kaplan_meier(rows, days) for name, rows in counts.groupby("segment")}
        of_all = _kaplan_meier(counts.groupby("day", as_index=False).sum(numeric_only=True), days)
        of_segment = [by_segment.get(name, of_all) for name in customers["segment"].fillna(ALL)]
        return {
            CURVE: trained.curve.predict(customers["probability"].to_numpy(float), weekdays, days),
            SEGMENT: np.array(of_segment),
            ALL: np.tile(of_all, (len(customers), 1)),
        }


def _kaplan_meier(counts: pd.DataFrame, days: int) -> Array:
    by_day = counts.set_index("day").reindex(range(1, days + 1), fill_value=0)
    return estimate_kaplan_meier(by_day["at_risk"].to_numpy(), by_day["left"].to_numpy())


def compare_shares(
    customers: pd.DataFrame, forecasts: dict[str, Array], cutoff: date
) -> pd.DataFrame:
    """Return the observed share who have left and the mean forecasts, one row per day."""
    days = forecasts[CURVE].shape[1]
    days = min(days, int(customers["follow_up_days"].max()))
    counts = count_by_day(*_get_times(customers), days)
    means = {name: forecast.mean(axis=0)[:days] for name, forecast in forecasts.items()}
    columns = {
        "cutoff": str(cutoff),
        "day": np.arange(1, days + 1),
        "customers": len(customers),
        "observed": estimate_kaplan_meier(*counts),
    }
    return pd.DataFrame(columns | means)


def _get_times(customers: pd.DataFrame) -> tuple[Array, Array]:
    left_on_day, follow_up = customers["left_on_day"], customers["follow_up_days"]
    return left_on_day.to_numpy(float), follow_up.to_numpy(float)


def score_day(
    customers: pd.DataFrame, forecasts: dict[str, Array], day: int, bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """Score the probabilities to have left by the end of a day: one row per predictor.

    Customers whose follow-up ends before are replaced by the weights of the others.

    Args:
        customers: `user_id`, `left_on_day` and `follow_up_days`.
        forecasts: probabilities by predictor: a row per customer, a column per day.
        day: the day.
        bootstrap: resamples of users for 95 % intervals.
    """
    times = _get_times(customers)
    has_left = (times[0] <= day).astype(float)
    weight = compute_censoring_weights(*times, day)
    rows = customers[["user_id"]].assign(churned=has_left > 0)
    resamples = []
    if has_enough_churners(rows, bootstrap.min_churned):
        resamples = list(draw_row_weights(rows, bootstrap))
    observed = float(estimate_kaplan_meier(*count_by_day(*times, day))[-1])
    everyone = np.ones(len(rows))
    for name, forecast in forecasts.items():
        probability = forecast[:, day - 1]

        def measure(counts: Array, probability: Array = probability) -> list[float]:
            weighted = counts * weight
            return [
                metrics.auc(has_left, probability, weighted),
                compute_brier_score(has_left, probability, weighted, counts.sum()),
            ]

        values = [measure(counts) for counts in resamples]
        intervals = [compute_interval(each) if resamples else None for each in np.array(values).T]
        intervals = intervals or [None, None]
        estimates = {
            metric: {"value": value, "ci95": interval}
            for metric, value, interval in zip(
                ("auc", "brier"), measure(everyone), intervals, strict=True
            )
        }
        is_constant = np.ptp(probability) == 0
        yield {
            "predictor": name,
            "customers": len(rows),
            "left": int(has_left.sum()),
            "observed": observed,
            "mean_forecast": float(probability.mean()),
            "calibration_error": metrics.expected_calibration_error(has_left, probability, weight),
            "calibration_slope": np.nan
            if is_constant
            else metrics.calibration_slope(has_left, probability, weight),
            **flatten_estimates(estimates),
        }


def _format_title(curve_calibration: pd.DataFrame) -> str:
    """Return the title: observed and forecast share on the latest evaluated day."""
    if curve_calibration.empty:
        return "Curves of leaving"
    last = curve_calibration.nlargest(1, "day").iloc[0]
    observed, forecast = (format_percent(last[name], 1) for name in ("observed", CURVE))
    return f"By day {last['day']}, {observed} had left; the curves forecast {forecast}"


def draw_curve_evaluation(curve_metrics: pd.DataFrame, curve_calibration: pd.DataFrame) -> Figure:
    """Draw forecast and observed shares by day, and the AUC of each evaluated day."""
    subtitle = "Customers who have left by each day. Trained on earlier data only; 95 % intervals"
    figure, (shares, ranking) = create_figure(
        _format_title(curve_calibration), subtitle, 3.2, columns=2
    )
    for number, (cutoff, rows) in enumerate(curve_calibration.groupby("cutoff")):
        labels = ("observed", "mean of the curves") if number == 0 else (None, None)
        shares.plot(rows["day"], rows["observed"], color=BAD, lw=1, label=labels[0])
        shares.plot(rows["day"], rows[CURVE], color=MODEL, ls="--", label=labels[1])
        end = rows.iloc[-1]
        shares.annotate(f" {cutoff}", (end["day"], end["observed"]), fontsize=TEXT_SIZE)
    shares.set(xlabel="Days after the cutoff", ylabel="Share who have left")
    shares.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    shares.margins(x=0.35)
    shares.set_xlim(left=0)
    for shift, (predictor, color) in enumerate({CURVE: MODEL, SEGMENT: REFERENCE}.items()):
        rows = curve_metrics[curve_metrics["predictor"] == predictor]
        errors = [rows["auc"] - rows["auc_low"], rows["auc_high"] - rows["auc"]]
        ranking.errorbar(
            rows["day"] + 0.3 * shift,
            rows["auc"],
            yerr=[error.fillna(0).clip(lower=0) for error in errors],
            fmt="o",
            color=color,
            capsize=3,
            label=LABELS[predictor],
        )
    ranking.axhline(0.5, color=REFERENCE, ls="--", lw=0.8)
    ranking.set(xlabel="Days after the cutoff", ylabel="AUC: left by this day")
    add_legend(figure, 2)
    return figure
