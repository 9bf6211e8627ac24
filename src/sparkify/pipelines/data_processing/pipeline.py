from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.data_processing import nodes

PARAMETERS = "params:data_processing"
VIEW = "view"  # the tag of a node whose result is a view on saved tables, which is not stored


def create_pipeline(**_: object) -> Pipeline:
    """Make typed records from the raw log, and count accepted and rejected ones."""
    return Pipeline(
        [
            Node(
                nodes.plan_reading,
                ["raw_events", "table_manifests", PARAMETERS],
                "reading_plan",
                name="plan_reading",
            ),
            Node(
                nodes.check_events,
                ["raw_events", "reading_plan", PARAMETERS],
                "checked_events",
                name="check_events",
            ),
            Node(
                nodes.find_files_to_clean,
                ["raw_events", "reading_plan", "table_manifests", PARAMETERS],
                "files_to_clean",
                name="find_files_to_clean",
            ),
            Node(
                nodes.count_records,
                ["checked_events", "table_manifests", PARAMETERS],
                "record_counts",
                name="count_records",
            ),
            Node(
                nodes.find_repeated_events,
                ["checked_events", "record_counts", "table_manifests"],
                "repeated_events",
                name="find_repeated_events",
            ),
            Node(
                nodes.count_pages,
                [
                    *["checked_events", "repeated_events"],
                    *["record_counts", "table_manifests", PARAMETERS],
                ],
                "page_counts",
                name="count_pages",
            ),
            Node(nodes.count_events, "page_counts", "event_counts", name="count_events"),
            Node(
                nodes.summarize_data_quality,
                [
                    *["checked_events", "record_counts", "repeated_events", "page_counts"],
                    *["event_counts", "files_to_clean", "raw_events", PARAMETERS],
                ],
                "data_quality",
                name="summarize_data_quality",
            ),
            # A separate node: the summary is saved before the run stops.
            Node(
                nodes.select_events,
                ["checked_events", "repeated_events", "data_quality", PARAMETERS],
                "events",
                name="select_events",
                tags=VIEW,
            ),
        ]
    )
