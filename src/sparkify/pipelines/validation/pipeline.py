from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.evaluation.pipeline import collect_results
from sparkify.pipelines.modelling.model_card import read_card
from sparkify.pipelines.modelling.pipeline import FITS
from sparkify.pipelines.validation import curves, figures, nodes

INPUTS, MODELLING, VALIDATION = "params:inputs", "params:modelling", "params:validation"
ENGINEERING, EVALUATION = "params:feature_engineering", "params:evaluation"
# What the report shows.
RESULTS = ["leakage_audit", "curve_evaluation", "curve_evaluation_figure"]
STUDIED = ["train", "test", "champion_card"]


def create_pipeline(**_: object) -> Pipeline:
    """Test how reliable the champion's metrics are, and audit its training data for leakage."""
    refits = Pipeline(
        [
            Node(
                nodes.predict_with_candidates,
                ["train", "test", "cv_results", INPUTS, MODELLING],
                "candidate_predictions",
                name="predict_with_candidates",
            ),
            Node(
                nodes.roll_origin,
                [
                    *["features", "snapshots", "champion_card"],
                    *[INPUTS, MODELLING, EVALUATION, ENGINEERING],
                ],
                "rolling_origin",
                name="roll_origin",
            ),
            Node(
                nodes.learn_from_fewer,
                [*STUDIED, "cv_results", INPUTS, MODELLING, EVALUATION, VALIDATION],
                "learning_curve",
                name="learn_from_fewer",
            ),
            Node(
                nodes.shuffle_labels,
                [*STUDIED, INPUTS, MODELLING, VALIDATION],
                "label_shuffle",
                name="shuffle_labels",
            ),
            Node(
                nodes.compare_imbalance,
                [*STUDIED, "cv_results", INPUTS, MODELLING, EVALUATION],
                "imbalance_comparison",
                name="compare_imbalance",
            ),
            Node(
                nodes.drop_feature_groups,
                [*STUDIED, INPUTS, MODELLING, EVALUATION],
                "feature_groups",
                name="drop_feature_groups",
            ),
        ],
        tags=FITS,
    )
    audits = [
        Node(read_card, "churn_model", "champion_card", name="read_model_card"),
        Node(
            nodes.change_later_events,
            ["user_days", "snapshots", ENGINEERING],
            "later_events",
            name="change_later_events",
        ),
        Node(
            nodes.audit_leakage,
            ["train", INPUTS, VALIDATION, "later_events"],
            "leakage_audit",
            name="audit_leakage",
        ),
    ]
    return refits + _evaluate_curves() + Pipeline(audits) + _draw_figures()


def _evaluate_curves() -> Pipeline:
    """Evaluate the curves of leaving on later outcomes, and draw the result."""
    evaluate = Node(
        nodes.evaluate_time_to_leave,
        [
            *["features", "snapshots", "user_days", "champion_card"],
            *[INPUTS, MODELLING, EVALUATION, ENGINEERING, VALIDATION],
        ],
        ["curve_metrics", "curve_calibration", "curve_evaluation"],
        name="evaluate_time_to_leave",
        tags=FITS,
    )
    draw = Node(
        curves.draw_curve_evaluation,
        ["curve_metrics", "curve_calibration"],
        "curve_evaluation_figure",
        name="draw_curve_evaluation",
    )
    return Pipeline([evaluate, draw])


def _draw_figures() -> Pipeline:
    """Draw a figure of each result."""
    return Pipeline(
        [
            Node(
                figures.draw_rolling_origin,
                "rolling_origin",
                "rolling_origin_figure",
                name="draw_rolling_origin",
            ),
            Node(
                figures.draw_learning_curve,
                "learning_curve",
                "learning_curve_figure",
                name="draw_learning_curve",
            ),
            Node(
                figures.draw_imbalance,
                "imbalance_comparison",
                "imbalance_figure",
                name="draw_imbalance",
            ),
            Node(
                figures.draw_feature_groups,
                "feature_groups",
                "feature_groups_figure",
                name="draw_feature_groups",
            ),
            Node(figures.draw_leakage, "leakage_audit", "leakage_figure", name="draw_leakage"),
            collect_results(RESULTS, "validation_results"),
        ]
    )
