from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.evaluation import (
    contact_profit,
    customer_groups,
    feature_weights,
    figures,
    promotion,
    segment_table,
)
from sparkify.pipelines.modelling import nodes, training_reference

FITS = "fits"  # the tag of nodes that fit candidates
MODELLING, INPUTS = "params:modelling", "params:inputs"
# All that says how good the next champion is, saved before it is in service. Figures only draw it.
EVALUATION = [
    *["train_predictions", "test_predictions", "metrics", "feature_weights", "segments"],
    *["contact_profit", "contact_plan", "group_metrics"],
]


def create_pipeline(**_: object) -> Pipeline:
    """From features and labels to a champion, promoted once its evaluation is saved."""
    split = Node(
        nodes.train_test,
        ["features", "snapshots", "event_summary", MODELLING, "params:feature_engineering"],
        ["train", "test", "question"],
        name="split_in_time",
    )
    describe = Node(
        training_reference.describe_training,
        [
            *["features", "user_days", "event_counts"],
            *["data_quality", "question", INPUTS, "params:reference"],
        ],
        "training_reference",
        name="describe_training",
    )
    found = Pipeline(find(), outputs={"champion": "challenger", "churn_model": "fitted_challenger"})
    evaluated = Pipeline(
        judge() + decide(), inputs={"champion": "next_champion", "churn_model": "next_model"}
    )
    return Pipeline([split, describe]) + found + compare() + evaluated + promote()


def find() -> Pipeline:
    """From training rows, of whatever question, to the best of the candidates."""
    return Pipeline(
        [
            Node(
                nodes.champion,
                ["train", INPUTS, MODELLING],
                ["cv_results", "fit_times", "champion", "churn_model"],
                name="choose_champion",
                tags=FITS,
            )
        ]
    )


def compare() -> Pipeline:
    """From a challenger and the current champion to the next champion."""
    return Pipeline(
        [
            Node(
                promotion.described_challenger,
                [
                    *["challenger", "fitted_challenger", "train"],
                    *["question", "training_reference", "data_quality", "parameters"],
                ],
                "challenger_model",
                name="describe_challenger",
            ),
            Node(
                promotion.compare_with_champion,
                ["challenger_model", "standing_model", "test", MODELLING],
                ["next_champion", "next_model", "comparison"],
                name="compare_with_champion",
            ),
        ]
    )


def promote() -> Pipeline:
    """From a next champion whose evaluation is saved to the champion."""
    return Pipeline(
        [
            Node(
                promotion.promote_champion,
                ["next_champion", "next_model", "comparison", *EVALUATION],
                ["promotion", "champion", "churn_model"],
                name="promote_champion",
            )
        ]
    )


def judge(metrics: Callable[..., object] = nodes.metrics) -> Pipeline:
    """From a champion and hold-out rows, of whatever question, to its metrics and figures."""
    return Pipeline(
        [
            Node(
                nodes.predictions,
                ["train", "churn_model", MODELLING],
                "train_predictions",
                name="predict_train",
            ),
            Node(
                nodes.predictions,
                ["test", "churn_model", MODELLING],
                "test_predictions",
                name="predict_test",
            ),
            Node(
                metrics,
                [
                    *["train_predictions", "test_predictions", "cv_results", "champion"],
                    *["data_quality", "question", MODELLING],
                ],
                "metrics",
                name="judge_champion",
            ),
            Node(
                feature_weights.feature_weights,
                "churn_model",
                "feature_weights",
                name="weigh_features",
            ),
            Node(
                figures.candidates,
                ["cv_results", "fit_times"],
                "candidates_figure",
                name="draw_candidates",
                tags="figures",
            ),
            Node(
                nodes.holdout_figures,
                ["test_predictions", "feature_weights", "metrics", MODELLING],
                [
                    *["precision_recall_figure", "roc_figure", "calibration_figure"],
                    *["lift_figure", "confusion_figure", "feature_weights_figure"],
                ],
                name="draw_holdout",
                tags="figures",
            ),
        ]
    )


def decide() -> Pipeline:
    """Say what contacts would have gained, whom the forecast serves, and who the customers are."""
    return Pipeline(
        [
            Node(
                segment_table.describe_segments,
                ["churn_model", "train"],
                "segments",
                name="describe_segments",
            ),
            Node(
                contact_profit.contacts_weighed,
                ["test_predictions", "champion", MODELLING],
                ["contact_profit", "contact_plan"],
                name="weigh_contacts",
            ),
            Node(
                figures.profit,
                ["contact_profit", "contact_plan", "metrics"],
                "profit_figure",
                name="draw_profit",
                tags="figures",
            ),
            Node(
                customer_groups.group_metrics,
                ["test_predictions", "test", "user_days", MODELLING],
                "group_metrics",
                name="judge_groups",
            ),
        ]
    )
