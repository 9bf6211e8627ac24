from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.simulation import nodes


def create_pipeline(**_: object) -> Pipeline:
    """From parameters to a listening log like the published one."""
    return Pipeline(
        [
            Node(nodes.simulated_users, "params:simulation", "simulated_users", name="draw_users"),
            Node(
                nodes.simulated_sessions,
                ["simulated_users", "params:simulation"],
                "simulated_sessions",
                name="simulate_sessions",
            ),
            Node(
                nodes.raw_events,
                ["simulated_users", "simulated_sessions", "params:simulation"],
                "raw_events",
                name="write_log",
            ),
            Node(
                nodes.simulation_record,
                ["raw_events", "params:simulation"],
                "simulation_record",
                name="record_simulation",
                confirms="raw_events",
            ),
        ]
    )
