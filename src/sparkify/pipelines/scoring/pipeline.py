from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.evaluation.pipeline import collect_results
from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.scoring import customer_value, nodes, time_to_leave

RESULTS = [
    *["score_summary", "contacts", "campaign_plan", "campaign_history", "score_history"],
    *["time_to_leave_summary", "value_totals", "time_to_leave_figure"],
    *["churn_scores_csv", "contacts_csv", "control_group_csv"],
]


def create_pipeline(**_: object) -> Pipeline:
    """From user days and the champion to scores with reasons, and a list of contacts."""
    engineering_parameters, scoring = "params:feature_engineering", "params:scoring"
    return (
        Pipeline(
            [
                Node(
                    nodes.list_current_customers,
                    ["user_days", engineering_parameters, "params:scoring.cutoff"],
                    "current_snapshots",
                    name="list_current_customers",
                ),
                Node(
                    engineering.compute_features,
                    ["user_days", "current_snapshots", engineering_parameters],
                    "current_features",
                    name="describe_current_customers",
                ),
                Node(
                    nodes.check_champion,
                    ["churn_model", "params:package_versions", engineering_parameters],
                    "scoring_model",
                    name="check_champion",
                ),
                Node(
                    nodes.score_customers,
                    ["current_features", "scoring_model", "params:inputs", scoring],
                    ["churn_scores", "scores_model_card"],
                    name="score_customers",
                ),
                Node(nodes.archive_scores, "churn_scores", "score_history", name="archive_scores"),
                Node(
                    nodes.decide_threshold,
                    ["params:evaluation", "scores_model_card"],
                    "contact_decision",
                    name="decide_threshold",
                ),
                Node(
                    nodes.flatten_scores,
                    ["churn_scores", "contact_decision", "scores_model_card", scoring],
                    "churn_scores_csv",
                    name="flatten_scores",
                ),
            ]
        )
        + _create_curves()
        + _create_values()
        + _create_contact_lists()
    )


def _create_curves() -> Pipeline:
    """From scores to the curve of each customer, by level and by segment."""
    return Pipeline(
        [
            Node(
                time_to_leave.list_time_to_leave,
                ["churn_scores", "scores_model_card", "params:scoring.curve_days"],
                "time_to_leave",
                name="list_time_to_leave",
            ),
            Node(
                time_to_leave.summarize_time_to_leave,
                ["time_to_leave", "churn_scores"],
                "time_to_leave_summary",
                name="summarize_time_to_leave",
            ),
            Node(
                time_to_leave.draw_time_to_leave,
                ["time_to_leave_summary", "scores_model_card"],
                "time_to_leave_figure",
                name="draw_time_to_leave",
            ),
        ]
    )


def _create_values() -> Pipeline:
    """From curves and prices to the value of each customer, and the value at risk."""
    return Pipeline(
        [
            Node(
                customer_value.value_customers,
                [
                    *["churn_scores", "user_days", "scores_model_card", "contact_decision"],
                    "params:scoring",
                ],
                "customer_values",
                name="value_customers",
            ),
            Node(
                customer_value.total_values,
                "customer_values",
                "value_totals",
                name="total_values",
            ),
        ]
    )


def _create_contact_lists() -> Pipeline:
    """From scores to a list of contacts, its control group, and the archived campaign."""
    scoring = "params:scoring"
    return Pipeline(
        [
            Node(
                nodes.list_contacts,
                [
                    *["churn_scores", "customer_values", "contact_decision"],
                    *[scoring, "params:reporting.actions"],
                ],
                ["contacts", "control_group"],
                name="list_contacts",
            ),
            Node(
                nodes.round_contacts,
                ["contacts", "control_group", "scores_model_card", scoring],
                ["contacts_csv", "control_group_csv"],
                name="round_contacts",
            ),
            Node(
                nodes.archive_campaign,
                ["contacts", "control_group"],
                "campaign_history",
                name="archive_campaign",
            ),
            Node(
                nodes.plan_campaign,
                ["contacts", "control_group", "contact_decision", scoring],
                "campaign_plan",
                name="plan_campaign",
            ),
            Node(
                nodes.summarize_scores,
                [
                    *["churn_scores", "contacts", "control_group"],
                    *["scores_model_card", "contact_decision", "params:scoring.control_share"],
                ],
                "score_summary",
                name="summarize_scores",
            ),
            collect_results(RESULTS, "scoring_results"),
        ]
    )
