from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.evaluation.pipeline import collect_results
from sparkify.pipelines.reporting import nodes

PARAMETERS = ("inputs", "feature_engineering", "reporting", "campaigns")
# Of pipelines that may not have run.
OTHER_RESULTS = ("monitoring_results", "campaign_results", "validation_results")
RESULTS = ("evaluation_results", "scoring_results", "other_results")
DATASETS = ("data_quality", "event_summary")


def create_pipeline(**_: object) -> Pipeline:
    """Write the report from what the other pipelines save."""
    parameters = {name: f"params:{name}" for name in PARAMETERS} | {"parameters": "parameters"}
    return Pipeline(
        [
            Node(
                nodes.write_report,
                parameters | {name: name for name in (*RESULTS, *DATASETS)},
                "report",
                name="write_report",
            ),
        ]
    )


def collect_other_results() -> Pipeline:
    """Collect the results of a pipeline outside the default for the report, with those saved."""
    return Pipeline([collect_results([*OTHER_RESULTS], "other_results")])
