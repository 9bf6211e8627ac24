from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.modelling import nodes

FITS = "fits"  # the tag of nodes that fit candidates
MODELLING, INPUTS = "params:modelling", "params:inputs"
FEATURE_ENGINEERING = "params:feature_engineering"
SELECTED = ["train", "selected_candidate", "calibration"]


def create_pipeline(**_: object) -> Pipeline:
    """From features and labels to the challenger, the winner of this training."""
    return create_search() + Pipeline(
        [
            Node(
                nodes.split_in_time,
                [
                    *["features", "snapshots", "event_summary", MODELLING, FEATURE_ENGINEERING],
                    "params:evaluation.max_customers",
                ],
                ["train", "test", "prediction_task"],
                name="split_in_time",
            ),
            Node(
                nodes.describe_training,
                [
                    *["features", "user_days", "page_counts"],
                    *["data_quality", "prediction_task", INPUTS, "params:reference"],
                ],
                "training_reference",
                name="describe_training",
            ),
            Node(
                nodes.fit_leaving_curve,
                [
                    *["out_of_fold_predictions", "user_days", "selected_candidate", "calibration"],
                    *["prediction_task", "params:scoring.curve_days"],
                    *[MODELLING, FEATURE_ENGINEERING],
                ],
                "leaving_curve",
                name="fit_leaving_curve",
            ),
            Node(
                nodes.fit_challenger,
                [
                    *[*SELECTED, "prediction_task", "leaving_curve", "training_reference"],
                    *["data_quality", "params:package_versions"],
                    *[INPUTS, MODELLING, FEATURE_ENGINEERING],
                ],
                "challenger_model",
                name="fit_challenger",
                tags=FITS,
            ),
        ]
    )


def create_search() -> Pipeline:
    """From training rows for any prediction task to the selected candidate and its calibration."""
    return Pipeline(
        [
            Node(
                nodes.cross_validate,
                ["train", INPUTS, MODELLING],
                "out_of_fold_predictions",
                name="cross_validate",
                tags=FITS,
            ),
            Node(
                nodes.select_candidate,
                ["out_of_fold_predictions", MODELLING],
                ["cv_results", "selected_candidate"],
                name="select_candidate",
            ),
            Node(
                nodes.calibrate,
                ["out_of_fold_predictions", "selected_candidate", MODELLING],
                "calibration",
                name="calibrate",
            ),
        ]
    )
