"""The report, for people who use the forecast."""

from typing import Any

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.reporting.context import (
    describe_campaigns,
    describe_drivers,
    describe_forecast,
    describe_groups,
    describe_leaving,
    describe_monitoring,
    describe_quality,
    list_parameters,
)
from sparkify.pipelines.reporting.parameters import ReportingParameters
from sparkify.pipelines.reporting.rendering import render_html, render_markdown

OTHER_PIPELINES = ("simulation", "retrospective")  # their parameters do not affect the forecast


def write_report(
    inputs: InputParameters,
    feature_engineering: FeatureEngineeringParameters,
    reporting: ReportingParameters,
    parameters: dict[str, Any],
    **datasets: Any,
) -> tuple[str, str]:
    """Return the report: the forecast, its quality, its limits, and how it was made.

    Args:
        inputs: the model's inputs.
        feature_engineering: how features are computed.
        reporting: how many rows of the lists to show.
        parameters: all parameters of the run.
        datasets: the datasets of `pipeline.DATASETS` by name. If `monitoring`, `campaigns` or
            `validation` has not run, its datasets are empty, its figures None.

    Returns:
        One self-contained HTML page, and the same text as Markdown.
    """
    summary, metrics, segments = (
        datasets[name] for name in ("score_summary", "metrics", "segments")
    )
    monitoring = datasets["monitoring_summary"], datasets["leakage_audit"]
    profit = datasets["contact_plan"], datasets["contact_profit"]
    context = {
        **datasets,
        **describe_forecast(summary, datasets["contacts"], metrics, reporting.contacts_shown),
        **describe_quality(metrics, *profit),
        **describe_drivers(datasets["feature_weights"], segments, inputs, feature_engineering),
        **describe_groups(datasets["group_metrics"], metrics),
        **describe_leaving(
            *(datasets["time_to_leave_summary"], datasets["curve_evaluation"]),
            *(datasets["value_totals"], summary, metrics),
        ),
        **describe_monitoring(*monitoring, metrics, summary["cutoff"]),
        **describe_campaigns(datasets["campaign_summary"]),
        "parameter_rows": list_parameters(
            {name: parameters[name] for name in sorted(parameters) if name not in OTHER_PIPELINES}
        ),
    }
    return render_html(context), render_markdown(context)
