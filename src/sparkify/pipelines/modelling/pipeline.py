from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.modelling import figures, nodes


def create_pipeline(**_: object) -> Pipeline:
    """From features and labels to a champion and its hold-out metrics."""
    split = Node(
        nodes.train_test,
        ["features", "snapshots", "params:modelling", "params:feature_engineering"],
        ["train", "test", "question"],
        name="split_in_time",
    )
    return Pipeline([split]) + from_train_and_test()


def from_train_and_test() -> Pipeline:
    """From training and hold-out rows, of whatever question, to a champion and its metrics."""
    modelling, inputs = "params:modelling", "params:inputs"
    return Pipeline(
        [
            Node(
                nodes.champion,
                ["train", inputs, modelling],
                ["cv_results", "champion", "churn_model"],
                name="choose_champion",
            ),
            Node(
                nodes.candidate_predictions,
                ["train", "test", "cv_results", inputs, modelling],
                "candidate_predictions",
                name="predict_with_candidates",
            ),
            Node(
                nodes.predictions,
                ["train", "churn_model", modelling],
                "train_predictions",
                name="predict_train",
            ),
            Node(
                nodes.predictions,
                ["test", "churn_model", modelling],
                "test_predictions",
                name="predict_test",
            ),
            Node(
                nodes.metrics,
                [
                    *["train_predictions", "test_predictions", "cv_results", "champion"],
                    *["data_quality", "question", modelling],
                ],
                "metrics",
                name="judge_champion",
            ),
            Node(
                nodes.feature_weights,
                ["train", "churn_model", inputs],
                "feature_weights",
                name="weigh_features",
            ),
            Node(figures.candidates, "cv_results", "candidates_figure", name="draw_candidates"),
            Node(
                nodes.holdout_figures,
                ["test_predictions", "feature_weights", "metrics", modelling],
                [
                    *["precision_recall_figure", "roc_figure", "calibration_figure"],
                    *["lift_figure", "confusion_figure", "feature_weights_figure"],
                ],
                name="draw_holdout",
            ),
        ]
    )
