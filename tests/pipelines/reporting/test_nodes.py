from typing import Any

import pandas as pd

from sparkify.pipelines.reporting import nodes


def test_the_picture_names_every_node_with_its_seconds() -> None:
    timings = pd.DataFrame(
        {
            "node": ["check_events", "judge_champion"],
            "seconds": [70.26, 3.0],
            "bytes_read": [128_000_000, 0],
            "bytes_written": [6_700_000, 2_000],
            "rows_written": [283_586, 0],
        }
    )
    figure = nodes.run_timings_figure(timings)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(timings["node"])
    assert [text.get_text() for text in axes.texts] == [
        " 70.3 s; 128 and 6.7 MB, 283,586 rows",
        " 3.0 s; 0 and 0.0 MB",
    ]


def test_the_last_run_is_drawn(finished: Any) -> None:
    finished.run("reporting")
    picture = finished.folder / "data/08_reporting/mini/run_timings.png"
    assert picture.stat().st_size > 10_000
    assert "check_events" in set(finished.catalog().load("run_timings")["node"])
