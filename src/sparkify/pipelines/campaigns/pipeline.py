from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.campaigns import figures, nodes
from sparkify.pipelines.evaluation.pipeline import collect_results

# What the report shows.
RESULTS = [
    *["campaign_summary", "campaigns_figure"],
    *["customer_movements", "movements_figure", "retention"],
]


def create_pipeline(**_: object) -> Pipeline:
    """From past lists and the log since then to the effect of contacts and the kinds of loss."""
    engineering, campaigns = "params:feature_engineering", "params:campaigns"
    return Pipeline(
        [
            Node(
                nodes.join_campaign_outcomes,
                ["campaign_history", "contact_record", "user_days", engineering, campaigns],
                ["campaign_customers", "campaign_status"],
                name="join_campaign_outcomes",
            ),
            Node(
                nodes.estimate_effects,
                ["campaign_customers", "campaign_status", "params:evaluation", campaigns],
                "campaign_effects",
                name="estimate_effects",
            ),
            Node(
                nodes.summarize_campaigns,
                ["campaign_customers", "campaign_effects", "campaign_status", "params:evaluation"],
                "campaign_summary",
                name="summarize_campaigns",
            ),
            Node(
                nodes.count_movements,
                ["user_days", engineering, campaigns],
                "customer_movements",
                name="count_movements",
            ),
            Node(
                nodes.measure_retention,
                ["user_days", engineering, campaigns],
                "retention",
                name="measure_retention",
            ),
            Node(
                figures.draw_campaigns,
                ["campaign_effects", "campaign_summary"],
                "campaigns_figure",
                name="draw_campaigns",
                tags="figures",
            ),
            Node(
                figures.draw_movements,
                ["customer_movements", campaigns],
                "movements_figure",
                name="draw_movements",
                tags="figures",
            ),
            collect_results(RESULTS, "campaign_results"),
        ]
    )
