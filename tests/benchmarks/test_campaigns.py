from typing import Any

import numpy as np
import pytest

from benchmarks import campaigns
from sparkify.pipelines.simulation.chain import list_states
from sparkify.pipelines.simulation.life import Process
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters

BUSY = {"users": 10, "days": 14, "songs": 50, "artists": 5, "session_gap_days": 0.5}


def test_futures_cancel_as_often_as_other_lives(parameters: dict[str, Any]) -> None:
    mini = SimulationParameters.model_validate(parameters["simulation"]).model_dump()
    simulation = SimulationParameters(**(mini | BUSY))
    process, cutoff = Process(simulation), simulation.start_second + 7 * DAY_SECONDS
    users, cancelled = [], []
    for number in range(60):
        life = list(process.simulate_user(number, process.draw_traits(number)))
        last = life[-1] if life else None
        is_gone = last is not None and list_states()[last.states[-1]].auth == "Cancelled"
        if life and life[0].seconds[0] < cutoff and not (is_gone and last.seconds[-1] < cutoff):
            users.append(number)
            cancelled.append(is_gone)
    futures = campaigns.continue_lives(simulation, cutoff, 30, users)
    assert futures.shape == (len(users), 30)
    error = np.sqrt(np.mean(cancelled) / len(users))
    assert abs(futures.mean() - np.mean(cancelled)) < 3 * error


def test_campaigns_are_read_out_against_the_truth() -> None:
    random = np.random.default_rng(3)
    probability = random.beta(2, 8, 1_000)
    cancels = random.random((1_000, 50)) < probability[:, None]
    scenario = {"control_share": 0.5, "success": 0.5}
    readings = campaigns.run_campaigns(cancels, probability, scenario, seed=1)
    assert readings.shape == (campaigns.CAMPAIGNS_PER_TASK, 2, 5)
    summary = campaigns.summarize(readings, cancels, scenario)
    assert summary["true_kept"] == pytest.approx(cancels.mean() / 2)
    for readout in ("plain", "adjusted"):
        assert summary[readout]["covers_kept"] == pytest.approx(0.95, abs=0.03)
        assert summary[readout]["covers_success"] == pytest.approx(0.95, abs=0.03)
        assert summary[readout]["mean_kept"] == pytest.approx(summary["true_kept"], abs=0.005)
    assert summary["adjusted"]["interval_width"] < summary["plain"]["interval_width"]
    assert summary["plain"]["significant"] == pytest.approx(summary["promised_power"], abs=0.03)


def scenario(success: float, **changes: float) -> dict[str, Any]:
    fine = {"covers_kept": 0.95, "covers_success": 0.95, "significant": 0.05} | changes
    whole = {"control_share": 0.1, "success": success, "promised_power": fine["significant"]}
    return whole | {"plain": fine, "adjusted": fine}


def test_what_is_out_of_bounds_is_listed() -> None:
    assert campaigns.list_failures([scenario(0.0), scenario(0.4, significant=0.8)]) == []
    failures = campaigns.list_failures(
        [scenario(0.0, significant=0.07), scenario(0.4, covers_kept=0.93)]
    )
    assert failures == [
        "success 0.000, control 0.1, plain: 0.0700 false findings",
        "success 0.000, control 0.1, adjusted: 0.0700 false findings",
        "success 0.400, control 0.1, plain: covers_kept 0.9300",
        "success 0.400, control 0.1, adjusted: covers_kept 0.9300",
    ]
