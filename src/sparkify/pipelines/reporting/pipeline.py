from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.reporting import nodes


def create_pipeline(**_: object) -> Pipeline:
    """Draw the run times of the forecast, and write the report."""
    parameters = {
        **{name: f"params:{name}" for name in ("inputs", "feature_engineering", "reporting")},
        "parameters": "parameters",
    }
    return Pipeline(
        [
            Node(
                nodes.report,
                parameters | {name: name for name in nodes.FOUND},
                ["report_html", "report_md"],
                name="write_report",
            ),
        ]
    )
