"""What watches over the forecast: challenger, monitoring, and the audit for leaks."""

from collections.abc import Iterator
from typing import Any

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.pipelines.monitoring.drift import format_chance, format_verdict
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
from sparkify.pipelines.reporting.quality import MEASURES

COMPARED = ("auc", "average_precision", "log_loss")


def watch(
    promotion: dict[str, Any],
    monitoring: dict[str, Any],
    audit: dict[str, Any],
    metrics: dict[str, Any],
    cutoff: str,
    drift_figure: bytes | None,
) -> Section:
    """Say whether the model was replaced, what has drifted, and what not to believe.

    Args:
        promotion: how the champion came to be it.
        monitoring: `monitoring_summary`, empty where monitoring has not run.
        audit: `leakage_audit`, empty where validation has not run.
        metrics: of the champion on the hold-out.
        cutoff: of the scores that the report tells.
        drift_figure: monitoring's figure, None where it has not run.
    """
    return Section(
        "watch",
        "What watches over it",
        (
            *_challenged(promotion),
            *_monitored(monitoring, drift_figure, metrics, cutoff),
            *_audited(audit, metrics),
        ),
    )


def alarms(
    monitoring: dict[str, Any], audit: dict[str, Any], metrics: dict[str, Any], cutoff: str
) -> tuple[Notice, ...]:
    """Return what has to stand above everything: drift alarms, and what not to believe."""
    notices = []
    if is_of_these_scores(monitoring, metrics, cutoff) and monitoring["alarms"]:
        sentences = " ".join(alarm["sentence"] for alarm in monitoring["alarms"])
        notices.append(
            f"Monitoring raised {_counted(len(monitoring['alarms']), 'alarm')}. {sentences}"
        )
    if is_of_this_training(audit, metrics):
        notices += audit["not_to_be_believed"]
    return tuple(Notice(text, "alarm") for text in notices)


def is_of_these_scores(monitoring: dict[str, Any], metrics: dict[str, Any], cutoff: str) -> bool:
    """Return whether monitoring looked at these scores and at this model's promise."""
    return bool(monitoring) and (
        monitoring["cutoff"] == cutoff
        and monitoring["promised"]["auc"] == metrics["holdout"]["auc"]
    )


def is_of_this_training(audit: dict[str, Any], metrics: dict[str, Any]) -> bool:
    """Return whether the audit looked at the very rows that the champion learnt from.

    An audit that does not say what it looked at is of an earlier version of the project.
    """
    own = metrics["champion"]["training"]["fingerprint"]
    return bool(audit.get("training", {}).get("fingerprint") == own)


def _challenged(promotion: dict[str, Any]) -> Iterator[Block]:
    if "gain" not in promotion:
        yield Text(f"Champion and challenger: nothing to compare, since {promotion['reason']}.")
        return
    yield Text(f"Champion and challenger: {promotion['reason']}.")
    measures = [(name, MEASURES[name]) for name in COMPARED]
    yield Table(
        "The newly trained model and the one that stood, on the same hold-out",
        (
            *[Column("Model", "text"), Column("Settings", "text"), Column("Trained until")],
            *(Column(one.name) for _, one in measures),
        ),
        tuple(
            (
                words.sentence_case(name),
                str(promotion[name]["label"]),
                words.day(promotion[name]["trained_until"]),
                *(words.measured(promotion[name].get(key), one.unit) for key, one in measures),
            )
            for name in ("challenger", "standing")
        ),
    )


def _monitored(
    monitoring: dict[str, Any], figure: bytes | None, metrics: dict[str, Any], cutoff: str
) -> Iterator[Block]:
    if not is_of_these_scores(monitoring, metrics, cutoff):
        other = f" since {words.day(monitoring['cutoff'])}" if monitoring else ""
        yield Text(
            f"Monitoring has not run{other} for this model and these scores: "
            "kedro run --pipelines monitoring,reporting adds it."
        )
        return
    found = monitoring["alarms"]
    compared = (
        f"{words.count(monitoring['customers'])} customers of {words.day(monitoring['cutoff'])} "
        f"with {words.count(monitoring['reference_customers'])} of "
        f"{words.day(monitoring['reference_cutoff'])}, the training's last cutoff"
    )
    limit = monitoring["thresholds"]["psi"]
    verdicts = [format_verdict(row, limit) for row in monitoring["features"]]
    by_chance = _counted(verdicts.count(format_chance(limit)), "feature")
    yield Text(
        f"Monitoring compared {compared}: {_counted(len(found), 'alarm')}. The population "
        f"stability index of {by_chance} is {format_chance(limit)}."
    )
    yield from (Notice(alarm["sentence"], "alarm") for alarm in found)
    yield _drift(monitoring)
    if figure is not None:
        alt = (
            "Drift: the population stability index of each feature, beside the limit of "
            f"{limit:g}; {_counted(sum(row['alarm'] for row in monitoring['features']), 'alarm')}, "
            f"{by_chance} {format_chance(limit)}."
        )
        yield Pictures((Picture(figure, alt),))
    yield from _realised(monitoring)


def _drift(monitoring: dict[str, Any]) -> Table:
    return Table(
        "What customers do and how they are scored, now and in training",
        (
            *[Column("Feature", "text"), Column("Mean in training"), Column("Mean now")],
            *[Column("Stability index"), Column("Corrected p"), Column("Verdict", "text")],
        ),
        tuple(
            (
                words.plain(row["feature"]),
                words.number(row["reference_mean"], 3),
                words.number(row["newest_mean"], 3),
                words.number(row["psi"]),
                words.number(row["p_adjusted"]),
                format_verdict(row, monitoring["thresholds"]["psi"]),
            )
            for row in monitoring["features"]
        ),
        folded=True,
    )


def _realised(monitoring: dict[str, Any]) -> Iterator[Block]:
    if not monitoring["realised"]:
        yield Text("No earlier scores are old enough for their outcomes to be known.")
        return
    of_scores = [words.metric_of(row, "auc") for row in monitoring["realised"]]
    aucs = words.compared(of_scores)
    yield Table(
        "How earlier scores came true",
        (
            *[Column("Scored on", "text"), Column("Customers"), Column("Expected to leave")],
            *[Column("Left"), Column("AUC")],
        ),
        tuple(
            (
                words.day(row["cutoff"]),
                words.count(row["customers"]),
                words.number(row["expected"])
                + f" ({words.count(row['expected_low'])} to {words.count(row['expected_high'])})",
                words.count(row["churned"]),
                auc if of_score else TOO_FEW,
            )
            for row, of_score, auc in zip(monitoring["realised"], of_scores, aucs, strict=True)
        ),
    )


def _audited(audit: dict[str, Any], metrics: dict[str, Any]) -> Iterator[Block]:
    if not is_of_this_training(audit, metrics):
        other = (
            f" of the rows that this model learnt from; the one there is looked at others, up to "
            f"{words.day(audit['training']['last_cutoff'])}"
            if "training" in audit
            else ""
        )
        yield Text(
            f"There is no audit for leaks{other}: kedro run --pipelines validation,reporting "
            "adds it."
        )
        return
    name, auc = next(iter(audit["auc_of_each_feature"].items()))
    sentences = audit["not_to_be_believed"]
    yield from (Notice(sentence, "alarm") for sentence in sentences)
    told = "" if sentences else "Nothing stands against the table that the model learnt from. "
    changed = sum((audit["later_events"] or {}).values())
    yield Text(
        f"The audit for leaks: {told}How long and how much somebody was seen ranks leavers with "
        f"an AUC of {words.number(audit['auc_of_exposure'])}, rates alone with "
        f"{words.number(audit['auc_of_rates'])}, the best single feature ({words.plain(name)}) "
        f"with {words.number(auc)}; a sum of features explains "
        f"{words.share(audit['identity']['r2'])} of the label. Deleting, altering and inventing "
        f"what came at or after the cutoff changed {_counted(changed, 'row')} of features."
    )


def _counted(number: int, what: str) -> str:
    return f"{words.count(number)} {what}{'' if number == 1 else 's'}"
