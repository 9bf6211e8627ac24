from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.scoring import lists, nodes

ENGINEERING, SCORING, MODELLING = (
    f"params:{name}" for name in ("feature_engineering", "scoring", "modelling")
)


def create_pipeline(**_: object) -> Pipeline:
    """From users' days and a fitted model to scores with reasons, and whom to contact."""
    return Pipeline(
        [
            Node(
                nodes.current_snapshots,
                ["user_days", ENGINEERING, SCORING],
                "current_snapshots",
                name="list_current_customers",
            ),
            Node(
                engineering.compute_features,
                ["user_days", "current_snapshots", ENGINEERING],
                "current_features",
                name="describe_current_customers",
            ),
            Node(
                nodes.churn_scores,
                ["current_features", "churn_model", "params:inputs", SCORING, ENGINEERING],
                ["churn_scores", "scores_model_card"],
                name="score_customers",
            ),
            Node(
                lists.churn_scores_csv,
                ["churn_scores", "scores_model_card", SCORING, MODELLING],
                "churn_scores_csv",
                name="write_scores_for_people",
            ),
            Node(
                lists.contacts,
                ["churn_scores", "scores_model_card", SCORING, MODELLING],
                ["contacts", "control_group"],
                name="list_contacts",
            ),
            Node(
                lists.round_contacts,
                ["contacts", "control_group"],
                ["contacts_csv", "control_group_csv"],
                name="write_contacts_for_people",
            ),
            Node(
                nodes.score_history,
                "churn_scores",
                "score_history",
                name="keep_score_history",
            ),
            Node(
                lists.score_summary,
                [
                    *["churn_scores", "contacts", "control_group", "scores_model_card"],
                    *[SCORING, MODELLING, ENGINEERING],
                ],
                "score_summary",
                name="sum_up_scores",
            ),
        ]
    )
