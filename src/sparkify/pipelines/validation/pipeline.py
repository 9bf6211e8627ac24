from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.modelling.model_card import read_card
from sparkify.pipelines.modelling.pipeline import FITS
from sparkify.pipelines.validation import figures, leakage, nodes


def create_pipeline(**_: object) -> Pipeline:
    """Study the champion: rivals, weeks, sizes, shuffled labels, remedies, inputs, leaks."""
    modelling, inputs = "params:modelling", "params:inputs"
    engineering, validation = "params:feature_engineering", "params:validation"
    evaluation = "params:evaluation"
    refit = ["train", "test", "studied_champion", inputs, modelling]
    beside = ["train", "test", "studied_champion", "cv_results", inputs, modelling]
    studied = Pipeline(
        [
            Node(read_card, "churn_model", "studied_champion", name="read_model_card"),
            Node(
                nodes.candidate_predictions,
                ["train", "test", "cv_results", inputs, modelling],
                "candidate_predictions",
                name="predict_with_candidates",
                tags=FITS,
            ),
            Node(
                nodes.rolling_origin,
                [
                    *["features", "snapshots", "studied_champion"],
                    *[inputs, modelling, evaluation, engineering],
                ],
                "rolling_origin",
                name="roll_origin",
                tags=FITS,
            ),
            Node(
                nodes.learning_curve,
                [*beside, evaluation, validation],
                "learning_curve",
                name="learn_from_fewer",
                tags=FITS,
            ),
            Node(
                nodes.label_shuffle,
                [*refit, validation],
                "label_shuffle",
                name="shuffle_labels",
                tags=FITS,
            ),
            Node(
                nodes.imbalance_comparison,
                beside,
                "imbalance_comparison",
                name="compare_imbalance",
                tags=FITS,
            ),
            Node(
                nodes.feature_groups,
                [*refit, evaluation],
                "feature_groups",
                name="drop_feature_groups",
                tags=FITS,
            ),
            Node(
                leakage.later_events,
                ["user_days", "snapshots", engineering],
                "later_events",
                name="change_later_events",
            ),
            Node(
                leakage.leakage_audit,
                ["train", inputs, validation, "later_events"],
                "leakage_audit",
                name="audit_leakage",
            ),
        ]
    )
    return studied + draw()


def draw() -> Pipeline:
    """From the studies' tables to their figures."""
    return Pipeline(
        [
            Node(
                figures.rolling_origin_figure,
                "rolling_origin",
                "rolling_origin_figure",
                name="draw_rolling_origin",
                tags="figures",
            ),
            Node(
                figures.learning_curve_figure,
                "learning_curve",
                "learning_curve_figure",
                name="draw_learning_curve",
                tags="figures",
            ),
            Node(
                figures.imbalance_figure,
                "imbalance_comparison",
                "imbalance_figure",
                name="draw_imbalance",
                tags="figures",
            ),
            Node(
                figures.feature_groups_figure,
                "feature_groups",
                "feature_groups_figure",
                name="draw_feature_groups",
                tags="figures",
            ),
            Node(
                figures.leakage_figure,
                "leakage_audit",
                "leakage_figure",
                name="draw_leakage",
                tags="figures",
            ),
        ]
    )
