import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import ceiling_curves
from sparkify.pipelines.simulation.chain import list_states
from sparkify.pipelines.simulation.life import Process
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters

# Short pauses between sessions: much happens in few days.
BUSY = {"users": 300, "days": 9, "songs": 50, "artists": 5, "session_gap_days": 0.7, "seed": 3}
CUTOFF_DAY, DAYS = 4, 8  # the curves end after the log
CURVE = {
    **{"horizon_days": 5, "first_day": 1, "days": 20},
    **{"log_day": 0.0, "risk_by_log_day": 0.0, "is_first": 0.0, "risk_by_is_first": 0.0},
    **{"weekdays": [0.0] * 7, "min_risk": -14.0, "max_risk": 3.0},
}


@pytest.fixture(scope="module")
def log(
    parameters: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> ceiling_curves.ceiling_report.Log:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    busy = SimulationParameters(**{**mini.model_dump(), **BUSY})
    folder: Path = tmp_path_factory.mktemp("log")
    (folder / "leaving_curve.json").write_text(json.dumps(CURVE))
    return SimpleNamespace(folder=folder, simulation=busy, layer=lambda _: folder)


@pytest.fixture(scope="module")
def holdout(log: Any) -> pd.DataFrame:
    """Return customers at the cutoff; `left_on` is the day on which they cancel, if they do."""
    longer = log.simulation.model_copy(update={"further_days": DAYS})
    process, rows = Process(longer), []
    cutoff = longer.start_second + CUTOFF_DAY * DAY_SECONDS
    for number in range(longer.users):
        life = list(process.simulate_user(number, process.draw_traits(number)))
        if not life or life[0].seconds[0] >= cutoff:
            continue
        has_left = list_states()[life[-1].states[-1]].auth == "Cancelled"
        left_on = (life[-1].seconds[-1] - cutoff) // DAY_SECONDS + 1 if has_left else 99
        if left_on > 0:
            rows.append((str(number + 1), 0.2, left_on))
    day = pd.Timestamp(longer.start) + pd.Timedelta(days=CUTOFF_DAY)
    table = pd.DataFrame(rows, columns=["user_id", "probability", "left_on"])
    return table.assign(cutoff=day.date())


def test_the_best_curves_have_the_share_of_customers_who_leave(
    log: Any, holdout: pd.DataFrame
) -> None:
    curves = ceiling_curves.predict_best_curves(log, holdout, DAYS, futures=4)
    left_on = holdout["left_on"].to_numpy()
    assert len(holdout) > 200
    for name in (ceiling_curves.ORACLE, ceiling_curves.INFORMED):
        assert curves[name].shape == (len(holdout), DAYS)
        assert (np.diff(curves[name], axis=1) >= 0).all()
        for day in (1, 4, DAYS):
            share = (left_on <= day).mean()
            assert curves[name][:, day - 1].mean() == pytest.approx(share, abs=0.04)


def test_our_curves_have_the_forecast_at_the_horizon(log: Any, holdout: pd.DataFrame) -> None:
    curves = ceiling_curves.predict_our_curves(log, holdout, DAYS)
    # With a constant hazard both are the same.
    np.testing.assert_allclose(
        curves[ceiling_curves.OURS], curves[ceiling_curves.CONSTANT], rtol=1e-9
    )
    assert curves[ceiling_curves.OURS][0, 4] == pytest.approx(0.2)


def test_distances_are_those_from_the_oracle() -> None:
    oracle = np.array([[0.1, 0.2], [0.3, 0.4]])
    rows = ceiling_curves.measure_distances(
        oracle, {"ours": np.array([[0.1, 0.3], [0.3, 0.1]])}, [2]
    )
    ours, mean = rows
    assert ours == {
        **{"day": 2, "predictor": "ours"},
        "oracle_mean": pytest.approx(0.3),
        "bias": pytest.approx(-0.1),
        "distance": pytest.approx(0.2),
        "correlation": pytest.approx(-1),
    }
    assert (mean["distance"], mean["correlation"]) == (pytest.approx(0.1), None)


def test_curves_are_compared_on_the_hold_out(log: Any, holdout: pd.DataFrame) -> None:
    rows = pd.DataFrame(ceiling_curves.compare_curves(log, holdout, [4, DAYS], futures=4))
    by_name = rows[rows["day"] == DAYS].set_index("predictor")
    assert set(by_name.index) == {"ours", "constant hazard", "informed", "mean of the oracle"}
    assert by_name.loc["informed", "distance"] < by_name.loc["mean of the oracle", "distance"]
