"""Test the read-out of campaigns on a known effect: coverage, false findings, power.

`python -m benchmarks.campaigns` simulates a full-size log, trains one champion on it and lists the
customers to contact at the hold-out's cutoff. The simulator continues each customer's history from
there many times. A simulated campaign draws one of these futures and a group for each customer.
Contacted customers who would cancel stay with a known probability. `sparkify.ml.two_groups` reads
the campaign out, as in the project. Writes `campaigns.json` to `--results`; reuses a log under
`--logs`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import ceiling_report
from benchmarks.program import RESULTS, ROOT, describe_run, print_progress, save_results
from sparkify.ml.two_groups import compare, compute_power, estimate_rates, find_detectable_success
from sparkify.pipelines.simulation.chain import list_states
from sparkify.pipelines.simulation.life import Process
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters

Flags = npt.NDArray[np.bool_]
CUSTOMERS_PER_TASK = 50
CAMPAIGNS_PER_TASK = 500
CONTROL_SHARES = (0.1, 0.5)  # the default, and the one with the most power
# Required bounds: shares of campaigns, and the error of the power.
COVERAGE, FALSE_FINDINGS, POWER_ERROR = (0.94, 0.96), (0.04, 0.06), 0.02


def continue_lives(
    simulation: SimulationParameters, cutoff: int, futures: int, users: Sequence[int]
) -> Flags:
    """Return whether each future of each user cancels before the log's end.

    Args:
        simulation: the process, whose log ends with the horizon.
        cutoff: epoch second from which the lives are simulated anew.
        futures: continuations of each life.
        users: the users' numbers.

    Returns:
        One row per user, one column per future.
    """
    process, cancels = Process(simulation), np.zeros((len(users), futures), bool)
    for row, number in enumerate(users):
        user, random = process.draw_traits(number), process.create_random("campaigns", number)
        life = process.simulate_user(number, user)
        before = [session for session in life if session.seconds[0] < cutoff]
        place = process.find_last_event(before[-1], cutoff)
        for future in range(futures):
            sessions = list(process.simulate_future(random, user, place, cutoff))
            last_state = sessions[-1].states[-1] if sessions else place.state
            cancels[row, future] = list_states()[last_state].auth == "Cancelled"
    return cancels


def run_campaigns(
    cancels: Flags, probability: npt.NDArray[np.float64], scenario: dict[str, float], seed: int
) -> npt.NDArray[np.float64]:
    """Simulate campaigns and read each out twice: unadjusted, and adjusted by the forecast.

    Returns:
        By campaign and read-out: whether the intervals of `kept` and `success` cover the truth,
        whether the effect is significant, the width of `kept`'s interval, and `kept`.
    """
    random = np.random.default_rng(seed)
    customers, futures = cancels.shape
    kept = scenario["success"] * cancels.mean()
    readings = np.zeros((CAMPAIGNS_PER_TASK, 2, 5))
    for campaign in range(CAMPAIGNS_PER_TASK):
        is_contact = random.random(customers) >= scenario["control_share"]
        would_cancel = cancels[np.arange(customers), random.integers(0, futures, customers)]
        stays = is_contact & (random.random(customers) < scenario["success"])
        cancelled = (would_cancel & ~stays).astype(float)
        for place, covariate in enumerate((None, probability)):
            effect = compare(estimate_rates(cancelled, is_contact, covariate))
            readings[campaign, place] = (
                effect.kept_low <= kept <= effect.kept_high,
                effect.success_low <= scenario["success"] <= effect.success_high,
                effect.p_value < 0.05,
                effect.kept_high - effect.kept_low,
                effect.kept,
            )
    return readings


def summarize(
    readings: npt.NDArray[np.float64], cancels: Flags, scenario: dict[str, float]
) -> dict[str, Any]:
    """Return what the campaigns of a scenario show, and the power computed beforehand."""
    customers, rate = len(cancels), float(cancels.mean())
    control = round(customers * scenario["control_share"])
    names = ("covers_kept", "covers_success", "significant", "interval_width", "mean_kept")
    mean = readings.mean(axis=0)
    return {
        **scenario,
        "campaigns": len(readings),
        "true_kept": scenario["success"] * rate,
        "promised_power": compute_power(rate, scenario["success"], customers - control, control),
        **{
            readout: dict(zip(names, map(float, mean[place]), strict=True))
            for place, readout in enumerate(("plain", "adjusted"))
        },
    }


def list_failures(scenarios: list[dict[str, Any]]) -> list[str]:
    """Return a line for each result outside its bounds."""
    failures = []
    for scenario in scenarios:
        name = f"success {scenario['success']:.3f}, control {scenario['control_share']:g}"
        for readout in ("plain", "adjusted"):
            for covered in ("covers_kept", "covers_success"):
                share = scenario[readout][covered]
                if not COVERAGE[0] <= share <= COVERAGE[1]:
                    failures.append(f"{name}, {readout}: {covered} {share:.4f}")
            significant = scenario[readout]["significant"]
            low, high = FALSE_FINDINGS
            if not scenario["success"] and not low <= significant <= high:
                failures.append(f"{name}, {readout}: {significant:.4f} false findings")
        promised = scenario["promised_power"]
        if scenario["success"] and abs(scenario["plain"]["significant"] - promised) > POWER_ERROR:
            failures.append(f"{name}: power {scenario['plain']['significant']:.4f}")
    return failures


def list_customers_to_contact(log: ceiling_report.Log) -> pd.DataFrame:
    """Return the hold-out's customers above the threshold, with their forecast."""
    file = log.folder / "held_out.parquet"
    if not file.exists():
        log.run()[0].to_parquet(file)
    decision = log.parameters["evaluation"]["decision"]
    threshold = decision["contact_cost"] / (
        decision["contact_success"] * decision["kept_customer_value"]
    )
    held_out = pd.read_parquet(file)
    return held_out[held_out["probability"] >= threshold].reset_index(drop=True)


def draw_futures(log: ceiling_report.Log, listed: pd.DataFrame, futures: int) -> Flags:
    """Continue the listed customers' lives on all cores; saved beside the log."""
    file = log.folder / f"futures_{futures}.npy"
    if not file.exists():
        cutoff = int(pd.Timestamp(listed["cutoff"].max(), tz="UTC").timestamp())
        horizon = log.parameters["feature_engineering"]["horizon_days"] * DAY_SECONDS
        assert log.simulation.end_second == cutoff + horizon, "the log ends with the horizon"
        users = [int(user_id) - 1 for user_id in listed["user_id"]]
        starts = range(0, len(users), CUSTOMERS_PER_TASK)
        tasks = [users[start : start + CUSTOMERS_PER_TASK] for start in starts]
        with Pool(os.cpu_count()) as pool:
            task = partial(continue_lives, log.simulation, cutoff, futures)
            np.save(file, np.concatenate(list(pool.imap(task, tasks))))
    return np.asarray(np.load(file))


def main(arguments: list[str] | None = None) -> None:
    """Run the experiment that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="of the simulated log")
    parser.add_argument("--users", type=int, help="simulate this many users instead")
    parser.add_argument("--futures", type=int, default=400, help="continuations of every life")
    parser.add_argument("--campaigns", type=int, default=10_000, help="of each scenario")
    parser.add_argument("--logs", type=Path, default=ROOT / "build/campaigns")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    print_progress("the log, the champion on it, and whom it lists")
    log = ceiling_report.Log(options.seed, options.users, options.logs.resolve())
    listed = list_customers_to_contact(log)
    print_progress(f"{options.futures} futures of {len(listed):,} customers")
    cancels = draw_futures(log, listed, options.futures)
    rate, customers = float(cancels.mean()), len(listed)
    scenarios = []
    for share in CONTROL_SHARES:
        control = round(customers * share)
        detectable = find_detectable_success(rate, customers - control, control)
        scenarios += [
            {"control_share": share, "success": success}
            for success in (0.0, 0.2, detectable)
            if success is not None
        ]
    results = []
    tasks = range(-(-options.campaigns // CAMPAIGNS_PER_TASK))
    for number, scenario in enumerate(scenarios):
        print_progress(f"{options.campaigns:,} campaigns: {scenario}")
        task = partial(run_campaigns, cancels, listed["probability"].to_numpy(float), scenario)
        with Pool(os.cpu_count()) as pool:
            readings = np.concatenate(pool.map(task, [1_000 * number + place for place in tasks]))
        results.append(summarize(readings[: options.campaigns], cancels, scenario))
        print(results[-1])
    failures = list_failures(results)
    account = {
        **describe_run("campaigns", arguments),
        "seed": options.seed,
        "listed_customers": customers,
        "futures": options.futures,
        "cancelling_share": rate,
        "mean_forecast": float(listed["probability"].mean()),
        "bounds": {
            "coverage": COVERAGE,
            "false_findings": FALSE_FINDINGS,
            "power_error": POWER_ERROR,
        },
        "scenarios": results,
        "failures": failures,
    }
    save_results(options.results / "campaigns.json", account)
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
