from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.reporting import nodes


def create_pipeline(**_: object) -> Pipeline:
    """Draw what the last run took."""
    return Pipeline(
        [
            Node(
                nodes.run_timings_figure,
                "run_timings",
                "run_timings_figure",
                name="draw_run_timings",
            )
        ]
    )
