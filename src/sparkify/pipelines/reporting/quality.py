"""How good the forecast is on customers and weeks it has not seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparkify.formatting.baseline_comparison import (
    TOO_FEW,
    compare_with_baselines,
    unbeaten_baselines,
)
from sparkify.pipelines.modelling.selection import choose_simplest
from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import (
    Block,
    Column,
    Notice,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)

FEW_OUTCOMES = 30  # below which an interval is too wide to plan by


@dataclass(frozen=True)
class Measure:
    """A metric: what it is called, what it says, and the unit it is written in."""

    name: str
    meaning: str
    unit: str = "number"


MEASURES = {
    "auc": Measure("AUC", "chance that one who leaves ranks above one who stays; 0.5 is a coin"),
    "average_precision": Measure("Average precision", "precision in the mean down the list"),
    "lift_top_decile": Measure("Lift", "churn in the top tenth of the list over churn in all"),
    "precision": Measure("Precision", "share of those called who leave", "share"),
    "recall": Measure("Recall", "share of those who leave that are called", "share"),
    "f1": Measure("F1", "harmonic mean of precision and recall"),
    "log_loss": Measure("Log loss", "surprise at what happened; smaller is better"),
    "brier": Measure("Brier score", "mean squared error; smaller is better"),
    "expected_calibration_error": Measure(
        "Calibration error", "mean gap between forecast and share that left", "share"
    ),
    "calibration_slope": Measure("Calibration slope", "1 is right; below it too bold, above timid"),
}
RULES = {"base_rate": "Base rate for all"}


def quality(
    metrics: dict[str, Any],
    promotion: dict[str, Any],
    profit: tuple[Block, ...],
    figures: Mapping[str, bytes],
) -> Section:
    """Say what the hold-out shows: metrics beside baselines, calibration, lift, profit, candidates.

    Args:
        metrics: as `modelling` saves them.
        promotion: whether the chosen candidate became the champion.
        profit: what contacts would have gained.
        figures: `calibration_figure`, `lift_figure` and `candidates_figure` as PNG bytes.
    """
    calibration = Picture(figures["calibration_figure"], _calibration_shown(metrics))
    lift = Picture(figures["lift_figure"], _lift_shown(metrics))
    candidates = Picture(figures["candidates_figure"], _candidates_shown(metrics))
    return Section(
        "quality",
        "How good it is",
        (
            Text(_asked(metrics)),
            *_few_outcomes(metrics),
            _metrics_table(metrics),
            *_against_baselines(metrics),
            Text(_never_seen(metrics)),
            Pictures((calibration, lift)),
            *profit,
            _candidates_table(metrics, promotion),
            Pictures((candidates,)),
        ),
    )


def _asked(metrics: dict[str, Any]) -> str:
    holdout, question = metrics["holdout"], metrics["question"]
    model = metrics["champion"]["label"]
    return (
        f"The model ({model}) was asked on {words.day(question['cutoff'])} who of "
        f"{words.count(holdout['users'])} customers would leave within "
        f"{question['horizon_days']} days, and then it was seen who did: "
        f"{words.count(holdout['churned'])} {question['happened']} "
        f"({words.share(holdout['base_rate'])}). It had learnt from earlier weeks only, whose "
        "outcomes were known by that day. In brackets stands each figure's 95 % interval: where it "
        "could as well lie, had other customers been drawn. Where too few left, or stayed, for an "
        f"interval, it says {TOO_FEW}."
    )


def _few_outcomes(metrics: dict[str, Any]) -> list[Block]:
    churned = metrics["holdout"]["churned"]
    if churned >= FEW_OUTCOMES:
        return []
    auc = metrics["holdout"].get("auc", {"value": None, "ci95": None})
    consequence = (
        f"so the intervals are wide: AUC {words.measured(auc)}. Plan by the intervals, not by the "
        "figures before them."
        if auc["ci95"]
        else "too few for intervals. Do not plan by these figures."
    )
    return [
        Notice(
            f"Only {words.count(churned)} customers {metrics['question']['happened']} in these "
            f"{metrics['question']['horizon_days']} days, {consequence}"
        )
    ]


def _metrics_table(metrics: dict[str, Any]) -> Table:
    judged = {"All customers": metrics["holdout"], "Never seen": metrics["unseen_users"]}
    judged |= {
        RULES.get(name, f"{words.sentence_case(name)} first"): figures
        for name, figures in metrics["baselines"].items()
    }
    rows = [
        (one.name, *words.compared([of.get(name) for of in judged.values()], one.unit), one.meaning)
        for name, one in MEASURES.items()
    ]
    sizes = [
        f"{words.count(of['churned'])} of {words.count(of['users'])}" if "users" in of else ""
        for of in judged.values()
    ]
    return Table(
        "The forecast, for all customers of the hold-out and for those never seen in training, "
        "beside rules that need no model",
        (Column("Figure", "text"), *map(Column, judged), Column("What it says", "prose")),
        (("Left", *sizes, "customers of the hold-out who left"), *rows),
    )


def _against_baselines(metrics: dict[str, Any]) -> list[Block]:
    """Say whether the model ranks better than simple rules; a notice where it does not."""
    gains = metrics["gain_over_baselines"]
    text = compare_with_baselines(gains, words.difference)
    unbeaten = unbeaten_baselines(gains)
    if not unbeaten:
        return [Text(text)] if text else []
    rules = " or ".join(f"{words.plain(name)} first" for name in unbeaten)
    return [Notice(f"{text} This hold-out does not show that the model ranks better than {rules}.")]


def _never_seen(metrics: dict[str, Any]) -> str:
    unseen, happened = metrics["unseen_users"], metrics["question"]["happened"]
    users = words.count(unseen["users"])
    if not unseen.get("auc", {}).get("ci95"):
        return (
            f"Of the {users} customers whom no model has ever learnt from, "
            f"{words.count(unseen['churned'])} {happened}: too few to measure the forecast on "
            "them alone."
        )
    return (
        f"{users} of these customers were kept out of training altogether, by a hash of their "
        f"id: {words.count(unseen['churned'])} of them {happened}, and the forecast ranks them "
        f"with an AUC of {words.measured(unseen['auc'])}, against "
        f"{words.measured(metrics['holdout']['auc'])} for all."
    )


def _candidates_table(metrics: dict[str, Any], promotion: dict[str, Any]) -> Table:
    compared = pd.DataFrame(metrics["candidates"])
    chosen = choose_simplest(compared)
    precisions = words.with_errors(
        compared["average_precision"].tolist(), compared["average_precision_error"].tolist()
    )
    behind = words.with_errors(compared["behind"].tolist(), compared["behind_error"].tolist())
    caption = (
        f"The candidates of this training, each cross-validated over "
        f"{words.count(compared['folds'].max())} folds of users; the simplest within one standard "
        "error of the best was chosen"
    )
    if not promotion["replaced"]:
        caption += ", and did not take the place of the champion that stood"
    return Table(
        caption,
        (
            *[Column("Candidate", "text"), Column("Settings", "text")],
            *[Column("Average precision ± standard error"), Column("Log loss")],
            *[Column("Behind the best ± standard error"), Column("Note", "text")],
        ),
        tuple(
            (
                words.plain(row["candidate"]),
                str(row["settings"]),
                precisions[place],
                words.number(row["log_loss"], 3),
                behind[place] if row["behind"] else "the best",
                "chosen" if row["trial"] == chosen else "",
            )
            for place, row in enumerate(compared.to_dict("records"))
        ),
    )


def _calibration_shown(metrics: dict[str, Any]) -> str:
    holdout = metrics["holdout"]
    error = words.measured(holdout.get("expected_calibration_error"), "share")
    slope = words.measured(holdout.get("calibration_slope"))
    return (
        "Calibration: the share of customers who left against the mean forecast, in groups of "
        f"equal size. Mean gap {error}, slope {slope}."
    )


def _lift_shown(metrics: dict[str, Any]) -> str:
    lift = words.measured(metrics["holdout"].get("lift_top_decile"), "times")
    return (
        "Lift: the share of leaving customers reached by contacting a share of all, the "
        f"likeliest first, beside simple rules. In the top tenth {lift} the average."
    )


def _candidates_shown(metrics: dict[str, Any]) -> str:
    compared = pd.DataFrame(metrics["candidates"])
    (best,) = compared.nlargest(1, "average_precision").to_dict("records")
    (precision,) = words.with_errors([best["average_precision"]], [best["average_precision_error"]])
    return (
        f"Candidates: average precision of {words.count(len(compared))} with standard errors. "
        f"The highest is {words.plain(best['candidate'])}, {precision}."
    )
