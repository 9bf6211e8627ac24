from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.modelling.pipeline import find, judge
from sparkify.pipelines.retrospective import nodes
from sparkify.pipelines.validation import figures, leakage


def create_pipeline(**_: object) -> Pipeline:
    """From whole histories to the seed project's figures, by the forecast's own modelling."""
    described = Pipeline(
        [
            Node(nodes.whole_histories, "user_days", "snapshots", name="end_histories"),
            Node(
                engineering.compute_features,
                ["user_days", "snapshots", "params:feature_engineering"],
                "features",
                name="describe_histories",
            ),
            Node(
                nodes.train_test,
                ["features", "snapshots", "event_summary", "params:modelling"],
                ["train", "test", "question"],
                name="split_by_user",
            ),
            Node(
                nodes.seed_comparison,
                ["test_predictions", "metrics", "params:seed_project"],
                "seed_comparison",
                name="compare_with_seed",
            ),
            Node(
                leakage.leakage_audit,
                ["train", "params:inputs", "params:validation"],
                "leakage_audit",
                name="audit_leakage",
            ),
            Node(figures.leakage_figure, "leakage_audit", "leakage_figure", name="draw_leakage"),
            Node(
                nodes.poisoned_audit,
                ["train", "user_days", "params:inputs", "params:validation"],
                "poisoned_audit",
                name="audit_poisoned",
            ),
            Node(
                figures.leakage_figure,
                "poisoned_audit",
                "poisoned_figure",
                name="draw_poisoned",
            ),
        ]
    )
    return Pipeline(
        described + find() + judge(nodes.metrics),
        namespace="retrospective",
        inputs={"user_days", "data_quality", "event_summary"},
        parameters={"params:modelling", "params:feature_engineering", "params:validation"},
    )
