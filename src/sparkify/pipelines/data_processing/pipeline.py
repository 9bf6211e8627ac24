from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.data_processing import nodes

PARAMETERS = "params:data_processing"


def create_pipeline(**_: object) -> Pipeline:
    """Make typed records from the raw log, and count accepted and rejected ones."""
    return Pipeline(
        [
            Node(
                nodes.check_events,
                ["raw_events", PARAMETERS],
                "checked_events",
                name="check_events",
            ),
            Node(
                nodes.find_repeated_events,
                "checked_events",
                "repeated_events",
                name="find_repeated_events",
            ),
            Node(
                nodes.count_events,
                ["checked_events", "repeated_events"],
                "event_counts",
                name="count_events",
            ),
            Node(
                nodes.summarize_data_quality,
                [
                    *["checked_events", "repeated_events", "event_counts"],
                    *["simulation_record", PARAMETERS],
                ],
                "data_quality",
                name="summarize_data_quality",
            ),
            # A separate node: the summary is saved before the run stops.
            Node(nodes.require_usable_log, "data_quality", None, name="require_usable_log"),
        ]
    )
