"""Plan which files of a log to read, and which records of earlier runs to keep."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sparkify.log_formats.event_log import EventLogFiles, FileState
from sparkify.pipelines.data_processing.changed_days import digest_texts
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_RECORDS

# Increase it when the code reads or sums records differently: all logs are read again.
RULES_VERSION = 1
# Parameters that do not change what a record means.
OTHER_PARAMETERS = {"from_scratch", "batch_megabytes", "max_rejected_share", "max_listed_pages"}
# Spark reads and writes each batch separately, which costs some tenths of a second. So a run makes
# few batches, with twice the size below which a batch is read again.
NEW_TO_KEPT_SIZE = 2
MAX_NEW_BATCHES = 32
MEGABYTE = 1_000_000


def list_settings(
    log_format: str, forgotten: Sequence[str], parameters: DataProcessingParameters
) -> dict[str, Any]:
    """Return everything but the files that decides what the records of a log mean."""
    sections = parameters.model_dump(mode="json", exclude=OTHER_PARAMETERS)
    return {
        "the version of the rules": RULES_VERSION,
        "the columns of checked_events": CHECKED_RECORDS.struct.simpleString(),
        "raw_format": log_format,
        "customers_to_forget": digest_texts(forgotten),  # not their ids
        **{f"data_processing.{name}": value for name, value in sections.items()},
    }


def plan_batches(
    log: EventLogFiles,
    manifest: Mapping[str, Any],
    forgotten: Sequence[str],
    parameters: DataProcessingParameters,
) -> dict[str, Any]:
    """Return the batches of files that `checked_events` has after this run.

    A batch is kept if none of its files has changed or is gone, else its other files are read
    again. With new files, batches that are small are also read again, to join their files.

    Args:
        log: the files of the log.
        manifest: of `checked_events`; empty before the first run.
        forgotten: the ids of customers whose records are left out.
        parameters: when to start from scratch, and the smallest size of a batch that is kept.

    Returns:
        `batches`: the files of each batch, by its number. `new`: the batches to read. `reason`:
        why all files are read, or None. `about`: what the next plan needs to know.
    """
    settings = list_settings(log.format, forgotten, parameters)
    reason = _find_reason(manifest, settings, parameters)
    earlier = {} if reason else {n: one["files"] for n, one in manifest["partitions"].items()}
    kept = {
        number: files
        for number, files in earlier.items()
        if all(log.states.get(file) == state for file, state in files.items())
    }
    kept_files = {file for files in kept.values() for file in files}
    min_bytes = parameters.batch_megabytes * MEGABYTE
    if log.states.keys() - kept_files:
        kept = {n: files for n, files in kept.items() if _count_bytes(files) >= min_bytes}
        kept_files = {file for files in kept.values() for file in files}
    to_read = {file: log.states[file] for file in sorted(log.states.keys() - kept_files)}
    first = manifest["about"]["next_batch"] if manifest else 0
    groups = _group_files(to_read, NEW_TO_KEPT_SIZE * min_bytes)
    new = {str(first + place): files for place, files in enumerate(groups)}
    return {
        "batches": {**kept, **new},
        "new": list(new),
        "reason": reason,
        "about": {"settings": settings, "next_batch": first + len(new)},
    }


def _find_reason(
    manifest: Mapping[str, Any], settings: Mapping[str, Any], parameters: DataProcessingParameters
) -> str | None:
    """Return why all files are read, or None."""
    if not manifest:
        return "there are no records of an earlier run"
    if parameters.from_scratch:
        return "data_processing.from_scratch is true"
    earlier = manifest["about"]["settings"]
    names = sorted(settings.keys() | earlier.keys())
    changed = [name for name in names if settings.get(name) != earlier.get(name)]
    return f"{', '.join(changed)} changed" if changed else None


def _group_files(
    files: Mapping[str, FileState], min_bytes: float
) -> Iterator[dict[str, FileState]]:
    """Yield files in groups of at least `min_bytes`; the last one may be smaller."""
    target = max(min_bytes, _count_bytes(files) // MAX_NEW_BATCHES + 1)
    group: dict[str, FileState] = {}
    for file, state in files.items():
        group[file] = state
        if _count_bytes(group) >= target:
            yield group
            group = {}
    if group:
        yield group


def _count_bytes(files: Mapping[str, FileState]) -> int:
    return sum(state["bytes"] for state in files.values())


def describe_plan(plan: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Return a sentence on the files that a run reads, for its log."""
    states = {f: state for files in plan["batches"].values() for f, state in files.items()}
    read = {file for number in plan["new"] for file in plan["batches"][number]}
    counts = f"{len(read):,} of {len(states):,} files of the log are read"
    if plan["reason"]:
        return f"{counts}: {plan['reason']}."
    earlier = {
        file: state
        for one in manifest["partitions"].values()
        for file, state in one["files"].items()
    }
    new, gone = read - earlier.keys(), earlier.keys() - states.keys()
    changed = {file for file in read - new if states[file] != earlier[file]}
    again = read - new - changed
    return (
        f"{counts}: {len(new):,} new, {len(changed):,} changed, {len(again):,} to join small "
        f"batches or because files read with them changed. {len(gone):,} files are gone."
    )
