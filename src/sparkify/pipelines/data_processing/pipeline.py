from kedro.pipeline import Node, Pipeline

from sparkify.pipelines.data_processing import nodes
from sparkify.pipelines.data_processing.log_checks import require_usable_log


def create_pipeline(**_: object) -> Pipeline:
    """From the raw log to its lines checked and typed, with an account of every one."""
    return Pipeline(
        [
            Node(
                nodes.checked_events,
                ["raw_events", "params:data_processing"],
                "checked_events",
                name="check_events",
            ),
            Node(
                nodes.data_quality,
                ["raw_events", "checked_events", "simulation_record", "params:data_processing"],
                "data_quality",
                name="account_for_lines",
            ),
            # By itself, so that the account is saved before the run stops.
            Node(require_usable_log, "data_quality", None, name="require_usable_log"),
        ]
    )
