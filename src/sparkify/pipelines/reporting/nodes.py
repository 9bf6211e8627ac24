"""The report."""

from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.reporting import words, writing
from sparkify.pipelines.reporting.blocks import Notice, Report
from sparkify.pipelines.reporting.drivers import drivers
from sparkify.pipelines.reporting.forecast import forecast
from sparkify.pipelines.reporting.groups import groups
from sparkify.pipelines.reporting.limits import limits
from sparkify.pipelines.reporting.method_section import making
from sparkify.pipelines.reporting.monitoring_section import alarms, watch
from sparkify.pipelines.reporting.parameters import ReportingParameters
from sparkify.pipelines.reporting.profit import profit
from sparkify.pipelines.reporting.quality import quality

JUDGED = ("calibration_figure", "lift_figure", "candidates_figure")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the report tells of: datasets of the catalog by their names.

    Those of `monitoring` and `validation` are empty where these have not run.
    """

    score_summary: dict[str, Any]
    contacts: pd.DataFrame
    metrics: dict[str, Any]
    fit_times: pd.DataFrame
    promotion: dict[str, Any]
    contact_plan: dict[str, Any]
    contact_profit: pd.DataFrame
    feature_weights: pd.DataFrame
    segments: pd.DataFrame
    group_metrics: pd.DataFrame
    monitoring_summary: dict[str, Any]
    leakage_audit: dict[str, Any]
    data_quality: dict[str, Any]
    event_summary: dict[str, Any]
    simulation_record: dict[str, Any]
    calibration_figure: bytes
    lift_figure: bytes
    profit_figure: bytes
    candidates_figure: bytes
    feature_weights_figure: bytes
    drift_figure: bytes | None


FOUND = [field.name for field in fields(Found)]


def report(
    inputs: InputParameters,
    feature_engineering: FeatureEngineeringParameters,
    reporting: ReportingParameters,
    parameters: dict[str, Any],
    **found: Any,
) -> tuple[str, str]:
    """Tell what is known: the forecast, how good it is, how it was made, what it is not for.

    Args:
        inputs: what the model looks at.
        feature_engineering: what its features are made of.
        reporting: how much of the lists is shown.
        parameters: all parameters of the run.
        found: the datasets that `Found` names.

    Returns:
        The report as one self-contained HTML page, and as Markdown; both say the same.
    """
    told = Found(**found)
    cutoff = told.score_summary["cutoff"]
    watched = told.monitoring_summary, told.leakage_audit, told.metrics, cutoff
    worth = profit(told.contact_plan, told.contact_profit, told.profit_figure)
    pictures = {name: getattr(told, name) for name in JUDGED}
    whole = Report(
        title="Who is about to leave",
        subtitle=(
            f"Forecast of {words.day(cutoff)} for the {told.score_summary['horizon_days']} days "
            "from then on"
        ),
        notices=(*_simulated(told.metrics, told.simulation_record), *alarms(*watched)),
        sections=(
            forecast(told.score_summary, told.contacts, told.metrics, reporting.contacts_shown),
            quality(told.metrics, told.fit_times, told.promotion, worth, pictures),
            drivers(
                told.feature_weights,
                told.segments,
                inputs,
                feature_engineering,
                told.feature_weights_figure,
            ),
            groups(told.group_metrics, told.metrics),
            watch(told.promotion, *watched, told.drift_figure),
            making(
                told.data_quality,
                told.event_summary,
                told.metrics,
                told.simulation_record,
                parameters,
            ),
            limits(
                told.metrics,
                told.contact_plan,
                told.group_metrics,
                told.score_summary,
            ),
        ),
    )
    return writing.as_html(whole), writing.as_markdown(whole)


def _simulated(metrics: dict[str, Any], record: dict[str, Any]) -> tuple[Notice, ...]:
    if metrics["source"] != "simulated":
        return ()
    drawn = f", with seed {record['seed']}, {words.count(record['users'])} users" if record else ""
    return (
        Notice(
            "Simulated log: nobody in this report exists. The log was drawn by this project's "
            f"simulator{drawn}. The figures show how the method works, and nothing about the "
            "customers of a real service."
        ),
    )
