from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.data_processing import nodes


def create_pipeline(**_: object) -> Pipeline:
    """From the raw log to accepted events, with an account of every line."""
    return Pipeline(
        [
            Node(
                nodes.checked_events,
                ["raw_events", "params:data_processing"],
                "checked_events",
                name="check_events",
            ),
            Node(
                nodes.data_quality,
                ["raw_events", "checked_events", "simulation_record", "params:data_processing"],
                "data_quality",
                name="account_for_lines",
            ),
            Node(nodes.events, "checked_events", "events", name="accept_events"),
        ]
    )
