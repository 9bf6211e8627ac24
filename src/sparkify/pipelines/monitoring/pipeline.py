from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.evaluation.pipeline import collect_results
from sparkify.pipelines.monitoring import figures, nodes


def create_pipeline(**_: object) -> Pipeline:
    """Compare the newest snapshot with the training, and past scores with the outcomes."""
    monitoring = "params:monitoring"
    return Pipeline(
        [
            Node(
                nodes.extract_reference,
                ["churn_model", "metrics"],
                "model_reference",
                name="extract_reference",
            ),
            Node(
                nodes.describe_newest_snapshot,
                [
                    *["current_features", "user_days", "event_counts"],
                    *["data_quality", "model_reference"],
                ],
                "newest_description",
                name="describe_newest_snapshot",
            ),
            Node(
                nodes.measure_drift,
                [
                    *["model_reference", "newest_description"],
                    *["test_predictions", "churn_scores", monitoring],
                ],
                "drift",
                name="measure_drift",
            ),
            Node(
                nodes.evaluate_past_scores,
                [
                    *["score_history", "user_days", "newest_description", "metrics"],
                    *["params:feature_engineering", "params:evaluation", monitoring],
                ],
                "realised_metrics",
                name="evaluate_past_scores",
            ),
            Node(
                nodes.summarize_monitoring,
                [
                    *["model_reference", "newest_description"],
                    *["drift", "realised_metrics", "metrics", monitoring],
                ],
                "monitoring_summary",
                name="summarize_monitoring",
            ),
            Node(
                figures.draw_drift,
                ["drift", "monitoring_summary"],
                "drift_figure",
                name="draw_drift",
                tags="figures",
            ),
            collect_results(["monitoring_summary", "drift_figure"], "monitoring_results"),
        ]
    )
