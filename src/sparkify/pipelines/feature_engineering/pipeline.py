from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.feature_engineering import nodes

PARAMETERS = "params:feature_engineering"
TRAINING = "training"  # tag of the nodes whose results only training and its evaluation need


def create_pipeline(**_: object) -> Pipeline:
    """Make features and labels at every cutoff from events, and from their counts."""
    return Pipeline(
        [
            Node(
                nodes.aggregate_user_days,
                ["page_counts", "table_manifests", "data_quality", PARAMETERS],
                "user_days",
                name="aggregate_user_days",
            ),
            Node(
                nodes.summarize_events,
                ["events", "user_days", "data_quality", PARAMETERS],
                "event_summary",
                name="summarize_events",
            ),
            Node(
                nodes.label_snapshots,
                ["user_days", PARAMETERS],
                "snapshots",
                name="label_snapshots",
                tags=TRAINING,
            ),
            Node(
                nodes.compute_features,
                ["user_days", "snapshots", PARAMETERS],
                "features",
                name="compute_features",
                tags=TRAINING,
            ),
        ]
    )
