"""Compare the project's predictions with the best possible ones on simulated logs.

`python -m benchmarks.ceiling --seeds 1 2 3 4 5` simulates a log per seed and runs the project on
it. Two predictors know the simulated process: the "oracle" also knows the hidden traits of every
customer, the "informed" one only the events before the cutoff. Writes `ceiling.json` and
`ceiling.png` to `--results`. It fails if the project is better than the oracle, which means that
later events leak into its predictions. Logs under `--logs` are reused.

It also measures how far the project's curves of leaving are from those of the oracle, on the days
of `--curve-days`, even beyond the end of the log. `curve_evaluation` is the project's own
evaluation of its curves on later outcomes.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import pandas as pd

from benchmarks import ceiling_curves, ceiling_report
from benchmarks.foresight import CUSTOMERS_PER_TASK, Forecast, Foresight
from benchmarks.program import RESULTS, ROOT, describe_run, print_progress
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters


def forecast_users(
    simulation: SimulationParameters, span: tuple[int, int], futures: int, users: Sequence[int]
) -> list[Forecast]:
    """Predict for customers by their numbers; `span` is the cutoff and the end of the horizon."""
    foresight = Foresight(simulation, *span, futures)
    return [foresight.forecast(user_number) for user_number in users]


def predict_holdout(log: ceiling_report.Log, holdout: pd.DataFrame, futures: int) -> pd.DataFrame:
    """Add both predictions to the hold-out, on all cores: one row per customer.

    Raises:
        ValueError: if a simulated life ends differently from the log.
    """
    file = log.folder / f"foresight_{futures}.parquet"
    if not file.exists():
        cutoff = int(pd.Timestamp(holdout["cutoff"].max(), tz="UTC").timestamp())
        horizon = log.parameters["feature_engineering"]["horizon_days"] * DAY_SECONDS
        users = [int(user_id) - 1 for user_id in holdout["user_id"]]
        starts = range(0, len(users), CUSTOMERS_PER_TASK)
        tasks = [users[start : start + CUSTOMERS_PER_TASK] for start in starts]
        task = partial(forecast_users, log.simulation, (cutoff, cutoff + horizon), futures)
        with Pool(os.cpu_count()) as pool:
            rows = [forecast for done in pool.imap(task, tasks) for forecast in done]
        pd.DataFrame(rows, columns=Forecast._fields).to_parquet(file)
    joined = holdout.merge(pd.read_parquet(file), on="user_id", how="left", validate="1:1")
    is_different = joined["churned"] != joined["lived_churned"]
    if is_different.any():
        raise ValueError(
            f"{is_different.sum()} of {len(joined)} simulated lives end differently from the log: "
            f"another version simulated it. Remove {log.folder} to simulate it again."
        )
    return joined


def main(arguments: list[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="*",
        default=[1, 2, 3, 4, 5],
        help="none: only draw the saved results again",
    )
    parser.add_argument("--users", type=int, help="simulate this number of users instead")
    parser.add_argument("--futures", type=int, default=40, help="continuations of every life")
    parser.add_argument("--curve-days", type=int, nargs="*", default=[7, 10, 14, 30])
    parser.add_argument("--logs", type=Path, default=ROOT / "build/ceiling")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if not options.seeds:
        ceiling_report.draw_saved(options.results)
        return
    how = {**describe_run("ceiling", arguments), "futures": options.futures}
    seeds = {}
    for seed in options.seeds:
        print_progress(f"seed {seed}: the log, the project on it")
        log = ceiling_report.Log(seed, options.users, options.logs.resolve())
        holdout, candidates = log.run()
        print_progress(f"seed {seed}: {options.futures} futures of {len(holdout):,} customers")
        predictions = predict_holdout(log, holdout, options.futures)
        print_progress(f"seed {seed}: scores")
        seeds[str(seed)] = ceiling_report.score_predictions(predictions, candidates)
        print(f"Seed {seed}\n{ceiling_report.format_table(seeds[str(seed)]['scores'])}\n")
        if options.curve_days:
            print_progress(f"seed {seed}: curves")
            distances = ceiling_curves.compare_curves(
                log, holdout, options.curve_days, options.futures
            )
            seeds[str(seed)]["curves"] = distances
            seeds[str(seed)]["curve_evaluation"] = log.read_curve_evaluation()
            print(f"{pd.DataFrame(distances).round(4).to_string(index=False)}\n")
    ceiling_report.save_report(seeds, how, options.results)
    leaks = ceiling_report.list_leaks(seeds)
    if leaks:
        sys.exit(
            f"On seed {', '.join(leaks)} our AUC is above the interval of the oracle's: events "
            f"after the cutoff leak into the predictions."
        )


if __name__ == "__main__":
    main()
