"""The project on a simulated log that is never written as JSON, and how its forecasts score."""

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
from kedro.config import OmegaConfigLoader
from matplotlib.figure import Figure

from benchmarks import speed
from benchmarks.saving import save_results
from benchmarks.simulated_tables import write_tables
from sparkify.ml.bootstrap import with_intervals
from sparkify.ml.metrics import CALIBRATION, PROBABILITY, RANKING
from sparkify.pipelines.modelling.parameters import Bootstrap
from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.settings import CONFIG_LOADER_ARGS

Score = dict[str, Any]
Scores = dict[str, dict[str, Score]]
BOOTSTRAP = Bootstrap(resamples=300, seed=7, min_churned=5)
METRICS = {"auc": "AUC", "average_precision": "average precision", "log_loss": "log loss"}
FORESEEN = ("oracle", "informed")
OURS, BASELINE = "ours", "baseline_"
# From, to; the mean over seeds is to be within.
GOALS = {
    "AUC below the oracle's": (-math.inf, 0.015),
    "average precision over the oracle's": (0.9, math.inf),
    "expected calibration error": (0.0, 0.005),
    "calibration slope": (0.9, 1.1),
}


class Log(speed.Log):
    """The log of a seed as the project has it once its lines are checked."""

    def __init__(self, seed: int, users: int | None, folder: Path) -> None:
        simulation = {"seed": seed} | ({"users": users} if users else {})
        name = f"seed_{seed}" + (f"_{users}_users" if users else "")
        super().__init__("12GB", folder / name, simulation)
        how: dict[str, Any] = {**CONFIG_LOADER_ARGS, "runtime_params": {"simulation": simulation}}
        loader = OmegaConfigLoader(str(self.conf), self.env, **how)
        self.parameters: dict[str, Any] = loader["parameters"]
        self.simulation = SimulationParameters.model_validate(self.parameters["simulation"])

    def require(self) -> None:
        """Simulate the log if it is not there; no line of JSON is written or parsed."""
        table = self.layer("02_intermediate") / "checked_events"
        if (table / "_SUCCESS").exists():
            return
        params = ",".join(f"simulation.{key}={value}" for key, value in self._simulation.items())
        to_sessions = ["--pipelines", "simulation", "--to-nodes", "simulation.simulate_sessions"]
        self.kedro(*to_sessions, "--params", params)
        lines = write_tables(self.layer("01_raw"), table.parent, self.simulation)
        shutil.rmtree(self.layer("01_raw"))
        account = {"source": "simulated", "lines": lines, "accepted": lines}
        account |= {"rejections": {}, "rejected_share": 0, "max_rejected_share": 0, "pages": {}}
        account |= {"levels": {"free": 0, "paid": 0}, "first_event": str(self.simulation.start)}
        table.with_name("data_quality.json").write_text(json.dumps(account), encoding="utf-8")

    def run(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Run the project anew and return its hold-out: our forecasts, and every candidate's."""
        self.require()
        forecasts = ["--to-outputs", "test_predictions,candidate_predictions"]
        anew = ["--params", "modelling.promotion.replace=always"]  # whatever an earlier run left
        self.kedro("--pipelines", "feature_engineering,modelling,validation", *forecasts, *anew)
        output = self.layer("07_model_output")
        return (
            pd.read_parquet(output / "test_predictions"),
            pd.read_parquet(output / "candidate_predictions"),
        )


def scored(foreseen: pd.DataFrame, candidates: pd.DataFrame) -> dict[str, Any]:
    """Score everybody's forecasts of a hold-out, with 95 % intervals over customers.

    Args:
        foreseen: our forecasts, with the columns `oracle` and `informed` and a `baseline_` each.
        candidates: every candidate's forecasts of the same customers.

    Returns:
        How many there were, how many churned, and the scores by who forecast and by metric.
    """
    forecasts = {name: foreseen[name] for name in FORESEEN} | {OURS: foreseen["probability"]}
    by_candidate = candidates.set_index("user_id").groupby("candidate")["probability"]
    forecasts |= {str(name): foreseen["user_id"].map(own) for name, own in by_candidate}
    baselines = [name for name in foreseen.columns if name.startswith(BASELINE)]
    forecasts |= {name.replace("_", " "): foreseen[name] for name in baselines}
    scores = {}
    for name, forecast in forecasts.items():
        is_probability = bool(forecast.between(0, 1).all())
        known = RANKING | (PROBABILITY if is_probability else {})
        metrics = {metric: known[metric] for metric in METRICS if metric in known}
        metrics |= CALIBRATION if name == OURS else {}
        rows = foreseen.assign(probability=forecast.astype(float))
        scores[name] = with_intervals(rows, metrics, BOOTSTRAP)
    churned = int(foreseen["churned"].sum())
    return {"customers": len(foreseen), "churned": churned, "scores": scores}


def over_seeds(seeds: Mapping[str, dict[str, Any]]) -> Scores:
    """Return the mean and the range, over seeds, of every score."""
    every = [found["scores"] for found in seeds.values()]
    summary: Scores = {}
    for name in every[0]:
        summary[name] = {}
        for metric in every[0][name]:
            values = [scores[name][metric]["value"] for scores in every]
            summary[name][metric] = {"value": mean(values), "range": [min(values), max(values)]}
    return summary


def table(scores: Scores) -> str:
    """Set out scores: a line per forecaster, each score with its interval or range."""
    lines = [f"{'':28}" + "".join(f"{metric:>24}" for metric in METRICS.values())]
    for name, own in scores.items():
        cells = [_cell(own[metric]) if metric in own else "" for metric in METRICS]
        lines.append(f"{name.replace('_', ' '):28}" + "".join(f"{cell:>24}" for cell in cells))
    calibration = [f"{name.replace('_', ' ')} {_cell(scores[OURS][name])}" for name in CALIBRATION]
    return "\n".join([*lines, f"{OURS}: {', '.join(calibration)}"])


def _cell(score: Score) -> str:
    value, (low, high) = score.values()
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"


def against_goals(scores: Scores) -> dict[str, float]:
    """Return what goals are set for, on one hold-out."""
    oracle, ours = scores["oracle"], scores[OURS]
    ratio = ours["average_precision"]["value"] / oracle["average_precision"]["value"]
    return {
        "AUC below the oracle's": oracle["auc"]["value"] - ours["auc"]["value"],
        "average precision over the oracle's": ratio,
        **{name.replace("_", " "): ours[name]["value"] for name in CALIBRATION},
    }


def verdicts(seeds: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Judge every goal: its value on each seed, their mean, and whether that is within bounds."""
    found = {seed: against_goals(one["scores"]) for seed, one in seeds.items()}
    judged = {}
    for name, (low, high) in GOALS.items():
        by_seed = {seed: values[name] for seed, values in found.items()}
        value = mean(by_seed.values())
        met_on = [seed for seed, own in by_seed.items() if low <= own <= high]
        is_met = low <= value <= high
        judged[name] = {"mean": value, "is_met": is_met, "by_seed": by_seed, "met_on": met_on}
    return judged


def leaks(seeds: Mapping[str, dict[str, Any]]) -> list[str]:
    """List the seeds on which our AUC is above the interval of the oracle's."""
    return [
        seed
        for seed, found in seeds.items()
        if found["scores"][OURS]["auc"]["value"] > found["scores"]["oracle"]["auc"]["ci95"][1]
    ]


def drawn(seeds: Mapping[str, dict[str, Any]]) -> Figure:
    """Draw AUC and average precision: a dot with its interval per seed, a row per forecaster."""
    names = list(next(iter(seeds.values()))["scores"])
    figure = Figure(figsize=(9, 0.45 * len(names) + 1.6), dpi=120, layout="constrained")
    title = "How near to the best possible: a dot per seed, with its 95 % interval"
    figure.suptitle(title, x=0.02, ha="left", fontsize=11)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, metric in zip(panels, ("auc", "average_precision"), strict=True):
        for row, name in enumerate(names):
            color = "#1f5fa8" if name == OURS else "#c2452d" if name in FORESEEN else "#8a8f98"
            for place, found in enumerate(seeds.values()):
                score = found["scores"][name][metric]
                y = row + 0.6 * (place + 0.5) / len(seeds) - 0.3
                axes.plot(score["ci95"], [y, y], color=color, lw=1, alpha=0.5)
                axes.plot(score["value"], y, "o", color=color, ms=3)
        axes.set_xlabel(METRICS[metric])
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.25)
    panels[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    panels[0].invert_yaxis()
    return figure


def write(seeds: Mapping[str, dict[str, Any]], how: dict[str, Any], folder: Path) -> None:
    """Print the scores over all seeds and the goals; write `ceiling.json` and `ceiling.png`."""
    summary, judged = over_seeds(seeds), verdicts(seeds)
    print(f"Mean and range over {len(seeds)} seeds\n{table(summary)}\n")
    for name, goal in judged.items():
        low, high = GOALS[name]
        met = "yes" if goal["is_met"] else "no"
        on = f"{len(goal['met_on'])} of {len(seeds)} seeds"
        print(f"{name}: {goal['mean']:.4f}; from {low:g} to {high:g}? {met}, and on {on}")
    results = {**how, "seeds": seeds, "over_seeds": summary, "goals": judged}
    save_results(folder / "ceiling.json", results)
    drawn(seeds).savefig(folder / "ceiling.png")
    speed.told(f"Results: {folder}/ceiling.json and ceiling.png")
