from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.simulation import nodes

PARAMETERS = "params:simulation"


def create_pipeline(**_: object) -> Pipeline:
    """Simulate a listening log like the published one."""
    return Pipeline(
        [
            Node(nodes.draw_users, PARAMETERS, "simulated_users", name="draw_users"),
            Node(
                nodes.simulate_sessions,
                ["simulated_users", "past_campaigns", PARAMETERS],
                "simulated_sessions",
                name="simulate_sessions",
            ),
            Node(
                nodes.format_raw_events,
                ["simulated_users", "simulated_sessions", PARAMETERS],
                "raw_events",
                name="format_raw_events",
            ),
            Node(
                nodes.record_simulation,
                ["raw_events", PARAMETERS],
                "simulation_record",
                name="record_simulation",
                confirms="raw_events",
            ),
        ]
    )
