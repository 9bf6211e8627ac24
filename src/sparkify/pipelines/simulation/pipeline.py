from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.simulation import nodes


def create_pipeline(**_: object) -> Pipeline:
    """From parameters to a listening log like the published one."""
    return Pipeline(
        [
            Node(nodes.draw_users, "params:simulation", "simulated_users", name="draw_users"),
            Node(
                nodes.simulate_sessions,
                ["simulated_users", "params:simulation"],
                "simulated_sessions",
                name="simulate_sessions",
            ),
            Node(
                nodes.format_raw_events,
                ["simulated_users", "simulated_sessions", "params:simulation"],
                "raw_events",
                name="write_log",
            ),
            Node(
                nodes.record_simulation,
                ["raw_events", "params:simulation"],
                "simulation_record",
                name="record_simulation",
                confirms="raw_events",
            ),
        ]
    )
