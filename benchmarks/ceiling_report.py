"""Run the project on a simulated log, and score its predictions."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
from kedro.config import OmegaConfigLoader
from matplotlib.figure import Figure

from benchmarks import speed
from benchmarks.program import print_progress, save_results
from sparkify.figure_style import BAD, MODEL, REFERENCE, create_figure, format_percent
from sparkify.ml.bootstrap import Bootstrap, estimate_metrics
from sparkify.ml.metrics import CALIBRATION, PROBABILITY, RANKING
from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.settings import CONFIG_LOADER_ARGS

Score = dict[str, Any]
Scores = dict[str, dict[str, Score]]
Seeds = Mapping[str, dict[str, Any]]
BOOTSTRAP = Bootstrap(resamples=300, seed=7, min_churned=5)
METRICS = {"auc": "AUC", "average_precision": "average precision", "log_loss": "log loss"}
BEST = ("oracle", "informed")
OURS, BASELINE = "ours", "baseline_"
NAMES = {
    "oracle": "oracle: knows\nhidden states",
    "informed": "informed: sees\nonly the log",
    OURS: "this project",
}


class Log(speed.Log):
    """The log of a seed, of full size, and its predictions."""

    def __init__(self, seed: int, users: int | None, folder: Path) -> None:
        simulation = {"seed": seed} | ({"users": users} if users else {})
        name = f"seed_{seed}" + (f"_{users}_users" if users else "")
        super().__init__("12GB", folder / name, simulation)
        how: dict[str, Any] = {**CONFIG_LOADER_ARGS, "runtime_params": {"simulation": simulation}}
        loader = OmegaConfigLoader(str(self.conf), self.env, **how)
        self.parameters: dict[str, Any] = loader["parameters"]
        self.simulation = SimulationParameters.model_validate(self.parameters["simulation"])

    def run(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Run the project; return its predictions and those of every candidate on the hold-out."""
        self.require()
        pipelines = "data_processing,feature_engineering,modelling,evaluation,validation"
        outputs = ["--to-outputs", "test_predictions,candidate_predictions,curve_evaluation"]
        # Ignore an earlier champion.
        always_replace = ["--params", "evaluation.promotion.replace=always"]
        self.kedro("--pipelines", pipelines, *outputs, *always_replace)
        output = self.layer("07_model_output")
        return (
            pd.read_parquet(output / "test_predictions"),
            pd.read_parquet(output / "candidate_predictions"),
        )

    def read_curve_evaluation(self) -> list[dict[str, Any]]:
        """Return how well the curves of leaving forecast later outcomes of this log."""
        file = self.layer("08_reporting") / "curve_evaluation.json"
        evaluation: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return list(evaluation["rows"])


def score_predictions(predictions: pd.DataFrame, candidates: pd.DataFrame) -> dict[str, Any]:
    """Score all predictions of a hold-out, with 95 % intervals over customers.

    Args:
        predictions: the project's, with the columns `oracle`, `informed` and `baseline_…`.
        candidates: the predictions of every candidate for the same customers.

    Returns:
        The number of customers and of churners, and the scores by predictor and metric.
    """
    by_name = {name: predictions[name] for name in BEST} | {OURS: predictions["probability"]}
    by_candidate = candidates.set_index("user_id").groupby("candidate")["probability"]
    by_name |= {str(name): predictions["user_id"].map(one) for name, one in by_candidate}
    baselines = [name for name in predictions.columns if name.startswith(BASELINE)]
    by_name |= {name.replace("_", " "): predictions[name] for name in baselines}
    scores = {}
    for name, probability in by_name.items():
        is_probability = bool(probability.between(0, 1).all())
        available = RANKING | (PROBABILITY if is_probability else {})
        metrics = {metric: available[metric] for metric in METRICS if metric in available}
        metrics |= CALIBRATION if name == OURS else {}
        rows = predictions.assign(probability=probability.astype(float))
        scores[name] = estimate_metrics(rows, metrics, BOOTSTRAP)
    churned = int(predictions["churned"].sum())
    return {"customers": len(predictions), "churned": churned, "scores": scores}


def average_scores(seeds: Seeds) -> Scores:
    """Return the mean and the range of every score over seeds."""
    all_scores = [seed["scores"] for seed in seeds.values()]
    summary: Scores = {}
    for name, metrics in all_scores[0].items():
        summary[name] = {}
        for metric in metrics:
            values = [scores[name][metric]["value"] for scores in all_scores]
            summary[name][metric] = {"value": mean(values), "range": [min(values), max(values)]}
    return summary


def format_table(scores: Scores) -> str:
    """Format scores with their interval or range, a line per predictor."""
    lines = [f"{'':28}" + "".join(f"{metric:>24}" for metric in METRICS.values())]
    for name, metrics in scores.items():
        cells = [_format(metrics[metric]) if metric in metrics else "" for metric in METRICS]
        lines.append(f"{name.replace('_', ' '):28}" + "".join(f"{cell:>24}" for cell in cells))
    ours = [f"{name.replace('_', ' ')} {_format(scores[OURS][name])}" for name in CALIBRATION]
    return "\n".join([*lines, f"{OURS}: {', '.join(ours)}"])


def _format(score: Score) -> str:
    value, (low, high) = score.values()
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"


def list_leaks(seeds: Seeds) -> list[str]:
    """Return the seeds where the project's AUC is above the interval of the oracle's."""
    return [
        seed
        for seed, one in seeds.items()
        if one["scores"][OURS]["auc"]["value"] > one["scores"]["oracle"]["auc"]["ci95"][1]
    ]


def draw_scores(seeds: Seeds) -> Figure:
    """Draw AUC and average precision: a dot with its interval per seed, a row per predictor."""
    names = list(next(iter(seeds.values()))["scores"])
    mean = average_scores(seeds)
    ours, informed = (mean[name]["average_precision"]["value"] for name in (OURS, "informed"))
    figure, panels = create_figure(
        f"{format_percent(ours / informed)} of the average precision that the log allows",
        f"{len(seeds)} simulated logs, a dot each with its 95 % interval; more is better",
        1.1 + 0.42 * len(names),
        columns=2,
        sharey=True,
    )
    for axes, metric in zip(panels, ("auc", "average_precision"), strict=True):
        for row, name in enumerate(names):
            color = MODEL if name == OURS else BAD if name in BEST else REFERENCE
            for place, one in enumerate(seeds.values()):
                dot = one["scores"][name][metric]
                y = row + 0.6 * (place + 0.5) / len(seeds) - 0.3
                axes.plot(dot["ci95"], [y, y], color=color, lw=1, alpha=0.5)
                axes.plot(dot["value"], y, "o", color=color, ms=3)
        label = METRICS[metric]
        axes.set_xlabel(label[0].upper() + label[1:])
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="y", visible=False)
    panels[0].set_yticks(
        range(len(names)), [NAMES.get(name, name.replace("_", " ")) for name in names]
    )
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def save_report(seeds: Seeds, how: dict[str, Any], folder: Path) -> None:
    """Print the scores over all seeds; write `ceiling.json` and `ceiling.png`."""
    summary = average_scores(seeds)
    print(f"Mean and range over {len(seeds)} seeds\n{format_table(summary)}\n")
    save_results(folder / "ceiling.json", {**how, "seeds": seeds, "over_seeds": summary})
    draw_saved(folder)
    print_progress(f"Results: {folder}/ceiling.json and ceiling.png")


def draw_saved(folder: Path) -> None:
    """Draw `ceiling.png` from `ceiling.json`."""
    saved = json.loads((folder / "ceiling.json").read_text(encoding="utf-8"))
    draw_scores(saved["seeds"]).savefig(folder / "ceiling.png")
