from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.monitoring import figures, nodes


def create_pipeline(**_: object) -> Pipeline:
    """From the newest snapshot and its scores to what has changed since the model was trained."""
    monitoring = "params:monitoring"
    return Pipeline(
        [
            Node(
                nodes.model_reference,
                ["churn_model", "metrics"],
                "model_reference",
                name="recall_training",
            ),
            Node(
                nodes.newest_description,
                [
                    *["current_features", "user_days", "event_counts"],
                    *["data_quality", "model_reference"],
                ],
                "newest_description",
                name="describe_newest",
            ),
            Node(
                nodes.feature_drift,
                [
                    *["model_reference", "newest_description"],
                    *["test_predictions", "churn_scores", monitoring],
                ],
                "drift",
                name="compare_with_training",
            ),
            Node(
                nodes.realised_metrics,
                [
                    *["score_history", "user_days", "newest_description", "metrics"],
                    *["params:feature_engineering", "params:evaluation", monitoring],
                ],
                "realised_metrics",
                name="judge_earlier_scores",
            ),
            Node(
                nodes.monitoring_summary,
                [
                    *["model_reference", "newest_description"],
                    *["drift", "realised_metrics", "metrics", monitoring],
                ],
                "monitoring_summary",
                name="raise_alarms",
            ),
            Node(
                figures.drift,
                ["drift", "monitoring_summary"],
                "drift_figure",
                name="draw_drift",
                tags="figures",
            ),
        ]
    )
