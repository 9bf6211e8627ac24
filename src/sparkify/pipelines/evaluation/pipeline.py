from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.evaluation import figures, nodes, segment_table

EVALUATION = "params:evaluation"
# What `evaluate_champion` reads.
EVALUATED = [
    *[EVALUATION, "train_predictions", "test_predictions", "out_of_fold_predictions"],
    *["selected_candidate", "calibration", "cv_results", "champion"],
    *["data_quality", "prediction_task"],
]
# All results of the evaluation. The next champion is promoted after they are saved.
RESULTS = [
    *["train_predictions", "test_predictions", "metrics", "feature_weights", "segments"],
    *["contact_profit", "contact_plan", "group_metrics"],
]
PROMOTED = ["promotion", "champion", "churn_model"]
HOLDOUT_FIGURES = [
    *["precision_recall_figure", "roc_figure", "calibration_figure"],
    *["lift_figure", "confusion_figure", "feature_weights_figure"],
]
FIGURES = [*HOLDOUT_FIGURES, "candidates_figure", "profit_figure"]
COLLECTED = "collected"  # the tag of nodes that collect what the report reads


def create_pipeline(**_: object) -> Pipeline:
    """From a challenger to its evaluation, and to the champion in service."""
    compare = Node(
        nodes.compare_with_champion,
        [
            *["challenger_model", "current_champion_model", "test"],
            *["params:modelling.selection", EVALUATION],
        ],
        ["next_champion", "next_model", "comparison"],
        name="compare_with_champion",
    )
    evaluate = [
        Node(nodes.evaluate_champion, EVALUATED, "metrics", name="evaluate_champion"),
        Node(
            segment_table.describe_segments,
            ["churn_model", "train", "params:inputs"],
            "segments",
            name="describe_segments",
        ),
        Node(
            nodes.estimate_contact_profit,
            ["test_predictions", "champion", EVALUATION],
            ["contact_profit", "contact_plan"],
            name="estimate_contact_profit",
        ),
        Node(
            nodes.evaluate_groups,
            ["test_predictions", "test", "user_days", EVALUATION],
            "group_metrics",
            name="evaluate_groups",
        ),
        Node(
            figures.draw_profit,
            ["contact_profit", "contact_plan", "metrics"],
            "profit_figure",
            name="draw_profit",
        ),
    ]
    promote = Node(
        nodes.promote_champion,
        ["next_champion", "next_model", "comparison", *RESULTS],
        PROMOTED,
        name="promote_champion",
    )
    next_champion = Pipeline(
        create_forecasts() + Pipeline(evaluate),
        inputs={"champion": "next_champion", "churn_model": "next_model"},
    )
    collect = collect_results([*RESULTS[2:], *PROMOTED[:2], *FIGURES], "evaluation_results")
    return Pipeline([compare, promote, collect]) + next_champion


def collect_results(names: list[str], collected: str) -> Node:
    """Return a node that collects datasets for the report under one name.

    Kedro-Viz draws a dataset outside of its pipeline's box if another pipeline reads it, or none.
    """
    return Node(
        nodes.collect_results,
        {name: name for name in names},
        collected,
        name="collect_results",
        tags=COLLECTED,
    )


def create_forecasts() -> Pipeline:
    """From a model for any prediction task and its metrics to forecasts, weights and figures."""
    return Pipeline(
        [
            Node(
                nodes.predict_snapshots,
                ["train", "churn_model", "params:evaluation.baselines"],
                "train_predictions",
                name="predict_train",
            ),
            Node(
                nodes.predict_snapshots,
                ["test", "churn_model", "params:evaluation.baselines"],
                "test_predictions",
                name="predict_test",
            ),
            Node(
                nodes.list_feature_weights,
                "churn_model",
                "feature_weights",
                name="list_feature_weights",
            ),
            Node(
                figures.draw_candidates,
                ["cv_results", "selected_candidate"],
                "candidates_figure",
                name="draw_candidates",
            ),
            Node(
                nodes.draw_holdout,
                [
                    *["test_predictions", "feature_weights", "metrics"],
                    "params:evaluation.calibration_bins",
                ],
                HOLDOUT_FIGURES,
                name="draw_holdout",
            ),
        ]
    )
