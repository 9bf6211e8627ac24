"""How the forecast was made: from which log, with what, and how long that took."""

from collections.abc import Iterator, Mapping
from typing import Any

from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import Column, Listing, Section, Table

CHOSEN_BY = {
    "f1": "the one with the best F1 that probabilities out of fold lead to expect",
    "profit": "from which on a contact is expected to gain more than it costs",
}
NOT_SHOWN = ("simulation", "retrospective")  # parameters of what has no part in the forecast


def making(
    data_quality: dict[str, Any],
    event_summary: dict[str, Any],
    metrics: dict[str, Any],
    record: dict[str, Any],
    parameters: Mapping[str, Any],
) -> Section:
    """Say how the forecast was made: log, rejected records, cutoffs, champion, settings, time."""
    return Section(
        "making",
        "How it was made",
        (
            Listing(
                (
                    *_log(data_quality, record),
                    *_returning(event_summary["returning_customers"]),
                    *_training(metrics),
                )
            ),
            _rejections(data_quality),
            _packages(metrics["champion"]["packages"]),
            _parameters(parameters),
        ),
    )


def _log(quality: dict[str, Any], record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if quality["source"] == "simulated":
        yield "Log", f"simulated, with seed {record.get('seed', words.UNKNOWN)}"
    else:
        yield "Log", "as it was provided: no simulation is known that wrote it"
    yield (
        "Events",
        (
            f"{words.count(quality['accepted'])} of {words.count(quality['users'])} customers, "
            f"from {words.day(quality['first_event'])} to {words.day(quality['last_event'])}"
        ),
    )
    yield (
        "Lines",
        (
            f"{words.count(quality['lines'])}, of which {words.count(quality['rejected'])} "
            f"({words.share(quality['rejected'] / max(quality['lines'], 1))}) were rejected"
        ),
    )
    if quality["unknown_columns"]:
        yield "Columns of the log that nothing reads", ", ".join(quality["unknown_columns"])


def _returning(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not found["customers"]:
        return
    treated = {
        "return": "They are customers again from the first of these on",
        "final": "None of these events counts",
    }[found["treated_as"]]
    yield (
        "Customers with events after a cancellation",
        (
            f"{words.count(found['customers'])}, with {words.count(found['events'])} events. "
            f"{treated} (feature_engineering.returning_customers)"
        ),
    )


def _training(metrics: dict[str, Any]) -> Iterator[tuple[str, str]]:
    champion, question, decision = (metrics[name] for name in ("champion", "question", "decision"))
    training = champion["training"]
    cutoffs = champion["question"]["train_cutoffs"]
    yield (
        "Question",
        (
            f"which customers{_of_whom(question)} {question['happened']} within "
            f"{question['horizon_days']} days of a cutoff"
        ),
    )
    yield "Champion", str(champion["label"])
    yield (
        "Learnt from",
        (
            f"{words.count(training['snapshots'])} snapshots of {words.count(training['users'])} "
            f"customers at {words.count(len(cutoffs))} cutoffs from {words.day(min(cutoffs))} to "
            f"{words.day(max(cutoffs))}; {words.count(training['churned'])} left "
            f"({words.share(training['base_rate'])})"
        ),
    )
    yield "Hold-out", f"the customers of {words.day(question['cutoff'])}"
    yield "Remedy for few leavers", str(champion["imbalance"])
    yield "Calibration", str(champion["calibration"])
    yield (
        "Threshold on the hold-out",
        f"{words.share(decision['threshold'])}, {CHOSEN_BY[decision['threshold_by']]}",
    )
    yield "Fingerprint of the training rows", str(training["fingerprint"])


def _of_whom(question: Mapping[str, Any]) -> str:
    """Say who is a customer, where that depends on when one was last seen."""
    if question["outcome"] != "inactivity":
        return ""
    return f" seen in the {question['active_within_days']} days before"


def _rejections(quality: dict[str, Any]) -> Table:
    return Table(
        "Rejected records by reason",
        (Column("Reason", "text"), Column("Records"), Column("Share of all records")),
        tuple(
            (reason, words.count(told["lines"]), words.share(told["lines"] / quality["lines"]))
            for reason, told in quality["rejections"].items()
        )
        or (("none", "0", "0 %"),),
    )


def _packages(packages: Mapping[str, str]) -> Table:
    return Table(
        "Versions that trained the champion",
        (Column("Package", "text"), Column("Version")),
        tuple(packages.items()),
    )


def _parameters(parameters: Mapping[str, Any]) -> Table:
    rows = [
        row
        for name, value in parameters.items()
        if name not in NOT_SHOWN
        for row in _flattened(name, value)
    ]
    return Table(
        "Parameters of the run that wrote this report",
        (Column("Parameter", "code"), Column("Value", "code")),
        tuple(rows),
        folded=True,
    )


def _flattened(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Write settings one per row, and those that belong together in one."""
    told = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    if isinstance(told, Mapping) and any(isinstance(inner, Mapping) for inner in told.values()):
        for key, inner in told.items():
            yield from _flattened(f"{name}.{key}", inner)
    elif isinstance(told, Mapping):
        yield name, ", ".join(f"{key}: {inner}" for key, inner in told.items())
    else:
        yield name, str(told)
