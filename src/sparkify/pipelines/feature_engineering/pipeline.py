from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.feature_engineering import nodes


def create_pipeline(**_: object) -> Pipeline:
    """From checked records to features and labels at every cutoff."""
    parameters = "params:feature_engineering"
    return Pipeline(
        [
            Node(
                nodes.select_events,
                [
                    *["checked_events", "repeated_events", "data_quality"],
                    "params:data_processing",
                ],
                "events",
                name="select_events",
            ),
            Node(nodes.aggregate_user_days, ["events", parameters], "user_days", name="aggregate_user_days"),
            Node(
                nodes.summarize_events,
                ["events", "user_days", "data_quality", parameters],
                "event_summary",
                name="summarize_events",
            ),
            Node(nodes.label_snapshots, ["user_days", parameters], "snapshots", name="label_snapshots"),
            Node(
                nodes.compute_features,
                ["user_days", "snapshots", parameters],
                "features",
                name="compute_features",
            ),
        ]
    )
