from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.data_processing import nodes

PARAMETERS = "params:data_processing"


def create_pipeline(**_: object) -> Pipeline:
    """Make typed records from the raw log, and count accepted and rejected ones."""
    return Pipeline(
        [
            Node(
                nodes.plan_reading,
                [
                    *["raw_events", "table_manifests"],
                    *["customers_to_forget", PARAMETERS],
                ],
                "reading_plan",
                name="plan_reading",
            ),
            Node(
                nodes.check_events,
                ["raw_events", "reading_plan", "customers_to_forget", PARAMETERS],
                "checked_events",
                name="check_events",
            ),
            Node(
                nodes.find_files_to_clean,
                ["raw_events", "reading_plan", "customers_to_forget", PARAMETERS],
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
                    *["event_counts", "simulation_record", PARAMETERS],
                ],
                "data_quality",
                name="summarize_data_quality",
            ),
            # A separate node: the summary is saved before the run stops.
            Node(nodes.require_usable_log, "data_quality", None, name="require_usable_log"),
        ]
    )
