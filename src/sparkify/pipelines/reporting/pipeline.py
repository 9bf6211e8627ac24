from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.reporting.nodes import write_report

PARAMETERS = ("inputs", "feature_engineering", "reporting", "campaigns")
RESULTS = (
    *("evaluation_results", "scoring_results"),
    # Of pipelines that may not have run.
    *("monitoring_results", "campaign_results", "validation_results"),
)
DATASETS = ("data_quality", "event_summary", "simulation_record")


def create_pipeline(**_: object) -> Pipeline:
    """Write the report from what the other pipelines save."""
    parameters = {name: f"params:{name}" for name in PARAMETERS} | {"parameters": "parameters"}
    return Pipeline(
        [
            Node(
                write_report,
                parameters | {name: name for name in (*RESULTS, *DATASETS)},
                ["report_html", "report_md"],
                name="write_report",
            ),
        ]
    )
