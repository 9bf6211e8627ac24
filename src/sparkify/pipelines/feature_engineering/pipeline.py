from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.feature_engineering import nodes


def create_pipeline(**_: object) -> Pipeline:
    """From checked records to features and labels at every cutoff."""
    parameters = "params:feature_engineering"
    return Pipeline(
        [
            Node(
                nodes.events,
                [
                    *["checked_events", "repeated_events", "data_quality"],
                    "params:data_processing",
                ],
                "events",
                name="accept_events",
            ),
            Node(nodes.user_days, ["events", parameters], "user_days", name="sum_up_days"),
            Node(
                nodes.event_summary,
                ["events", "user_days", "data_quality", parameters],
                "event_summary",
                name="summarise_events",
            ),
            Node(nodes.snapshots, ["user_days", parameters], "snapshots", name="take_snapshots"),
            Node(
                nodes.features,
                ["user_days", "snapshots", parameters],
                "features",
                name="describe_customers",
            ),
        ]
    )
