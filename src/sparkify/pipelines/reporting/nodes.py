"""The report, for people who use the forecast."""

from typing import Any

from sparkify.pipelines.campaigns.parameters import CampaignParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.reporting.context import (
    describe_campaigns,
    describe_drivers,
    describe_forecast,
    describe_groups,
    describe_leaving,
    describe_losses,
    describe_monitoring,
    describe_quality,
    describe_reasons,
    list_parameters,
    list_weeks,
)
from sparkify.pipelines.reporting.parameters import ReportingParameters
from sparkify.pipelines.reporting.rendering import render_html, render_markdown

OTHER_PIPELINES = ("simulation", "retrospective")  # their parameters do not affect the forecast


def write_report(
    inputs: InputParameters,
    feature_engineering: FeatureEngineeringParameters,
    reporting: ReportingParameters,
    campaigns: CampaignParameters,
    parameters: dict[str, Any],
    evaluation_results: dict[str, Any],
    scoring_results: dict[str, Any],
    other_results: dict[str, dict[str, Any]],
    **datasets: Any,
) -> dict[str, str]:
    """Return the report: the forecast, its quality, its limits, and how it was made.

    Args:
        inputs: the model's inputs.
        feature_engineering: how features are computed.
        reporting: how many rows of the lists to show, and what may help.
        campaigns: when a customer is quiet.
        parameters: all parameters of the run.
        evaluation_results: the results and figures of `evaluation` by name.
        scoring_results: the scores' summary, the contacts and the plan of the campaign by name.
        other_results: those of `monitoring`, `campaigns` and `validation`. If a pipeline has not
            run, its summaries are empty, its tables and figures None.
        datasets: the datasets of `pipeline.DATASETS` by name.

    Returns:
        The `text` as Markdown, and the `page`: the same with figures as self-contained HTML.
    """
    datasets |= evaluation_results | scoring_results
    for results in other_results.values():
        datasets |= results
    summary, metrics, segments = (
        datasets[name] for name in ("score_summary", "metrics", "segments")
    )
    audit = datasets["leakage_audit"]
    monitoring = describe_monitoring(
        datasets["monitoring_summary"], audit, metrics, summary["cutoff"]
    )
    realised = datasets["monitoring_summary"]["realised"] if monitoring["has_monitoring"] else []
    profit = datasets["contact_plan"], datasets["contact_profit"]
    context = {
        **datasets,
        **{"reporting": reporting, "silent_after_days": campaigns.silent_after_days},
        **describe_forecast(summary, datasets["contacts"], metrics, reporting),
        **list_weeks(summary, metrics, realised),
        **describe_reasons(summary, segments, inputs, reporting.actions),
        **describe_quality(metrics, *profit),
        **describe_drivers(datasets["feature_weights"], segments, inputs, feature_engineering),
        **describe_groups(datasets["group_metrics"], metrics),
        **describe_leaving(
            *(datasets["time_to_leave_summary"], datasets["curve_evaluation"]),
            *(datasets["value_totals"], summary, metrics),
        ),
        **monitoring,
        **describe_campaigns(datasets["campaign_summary"]),
        **describe_losses(datasets["customer_movements"], datasets["retention"]),
        "parameter_rows": list_parameters(
            {name: parameters[name] for name in sorted(parameters) if name not in OTHER_PIPELINES}
        ),
    }
    return {"text": render_markdown(context), "page": render_html(context)}
