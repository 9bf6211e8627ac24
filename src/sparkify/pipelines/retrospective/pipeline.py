from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.evaluation.pipeline import EVALUATED, create_forecasts
from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.modelling import nodes as modelling
from sparkify.pipelines.modelling.pipeline import FITS, INPUTS, MODELLING, SELECTED, create_search
from sparkify.pipelines.retrospective import nodes
from sparkify.pipelines.validation import figures
from sparkify.pipelines.validation import nodes as validation

MAX_CUSTOMERS = "params:evaluation.max_customers"


def create_pipeline(**_: object) -> Pipeline:
    """From whole histories to the seed project's metrics, by the same modelling and evaluation."""
    whole_histories = Pipeline(
        [
            Node(
                nodes.label_whole_histories, "user_days", "snapshots", name="label_whole_histories"
            ),
            Node(
                engineering.compute_features,
                ["user_days", "snapshots", "params:feature_engineering"],
                "features",
                name="describe_histories",
            ),
            Node(
                nodes.split_by_user,
                ["features", "snapshots", "event_summary", MODELLING, MAX_CUSTOMERS],
                ["train", "test", "prediction_task"],
                name="split_by_user",
            ),
            Node(
                modelling.fit_selected,
                [*SELECTED, INPUTS, MODELLING],
                ["churn_model", "champion"],
                name="fit_selected",
                tags=FITS,
            ),
            Node(nodes.evaluate_at_best_f1, EVALUATED, "metrics", name="evaluate_at_best_f1"),
            Node(
                nodes.compare_with_seed_project,
                ["test_predictions", "metrics", "params:seed_project"],
                "seed_comparison",
                name="compare_with_seed_project",
            ),
            Node(
                validation.audit_leakage,
                ["train", INPUTS, "params:validation"],
                "leakage_audit",
                name="audit_leakage",
            ),
            Node(figures.draw_leakage, "leakage_audit", "leakage_figure", name="draw_leakage"),
            Node(
                nodes.audit_poisoned,
                ["train", "user_days", INPUTS, "params:validation"],
                "poisoned_audit",
                name="audit_poisoned",
            ),
            Node(figures.draw_leakage, "poisoned_audit", "poisoned_figure", name="draw_poisoned"),
        ]
    )
    # Not shared: `params:inputs` and `params:seed_project`, which get the namespace.
    values = ("baselines", "calibration_bins", "max_customers")
    evaluation = ["evaluation", *(f"evaluation.{name}" for name in values)]
    shared = ["modelling", *evaluation, "feature_engineering", "validation"]
    return Pipeline(
        whole_histories + create_search() + create_forecasts(),
        namespace="retrospective",
        inputs={"user_days", "data_quality", "event_summary"},
        parameters={f"params:{name}" for name in shared},
    )
