from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.reporting.nodes import write_report

FIGURES = [
    *("calibration_figure", "lift_figure", "profit_figure", "candidates_figure"),
    *("feature_weights_figure", "drift_figure", "campaigns_figure", "movements_figure"),
    *("time_to_leave_figure", "curve_evaluation_figure"),
]
DATASETS = [
    *("score_summary", "contacts", "metrics", "promotion", "contact_plan", "contact_profit"),
    *("feature_weights", "segments", "group_metrics", "monitoring_summary", "leakage_audit"),
    *("campaign_plan", "campaign_summary"),
    *("time_to_leave_summary", "curve_evaluation", "value_totals"),
    *("data_quality", "event_summary", "simulation_record", *FIGURES),
]


def create_pipeline(**_: object) -> Pipeline:
    """Write the report from what the other pipelines save."""
    sections = ("inputs", "feature_engineering", "reporting")
    parameters = {name: f"params:{name}" for name in sections} | {"parameters": "parameters"}
    return Pipeline(
        [
            Node(
                write_report,
                parameters | {name: name for name in DATASETS},
                ["report_html", "report_md"],
                name="write_report",
            ),
        ]
    )
