"""Why a line of the log is no event."""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing import parsing
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters

REQUIRED = ["page", "sessionId", "itemInSession", "level"]


def is_suspect(parameters: DataProcessingParameters) -> Column:
    """Return whether anything may be wrong with a line, by what is cheap to look at.

    `rejection` looks closely, and takes as long as the parsing; nearly all lines are spared it.
    A sign that is null, because its field is, tells against the line.
    """
    ts, registration = F.col("fields.ts"), F.col("fields.registration")
    signs = [
        _is_corrupt(),
        _has_no_user(),
        ~is_possible(ts, parameters),
        ~is_possible(registration, parameters),
        F.col("fields.page").isNull(),
        F.col("fields.sessionId").isNull(),
        ~_is_possible_item(),
        ~_is_known_plan(parameters),
        _is_impossible_length(parameters),
        parsing.may_go_on(F.col("value")),
        parsing.may_hold_odd_text(),
        F.col("copy") > 1,
    ]
    return F.coalesce(reduce(Column.__or__, signs), F.lit(True))


def rejection(parameters: DataProcessingParameters) -> Column:
    """Return the first reason against a line, or null; none has a word of the log in it."""
    line, ts, registration = F.col("value"), F.col("fields.ts"), F.col("fields.registration")
    may_be_malformed = _is_corrupt() | parsing.may_go_on(line)
    return F.coalesce(
        F.when(may_be_malformed & parsing.is_malformed(line), "malformed JSON"),
        parsing.wrong_type(line, parameters.fields),
        F.when(_is_corrupt(), "malformed JSON"),
        F.when(ts.isNull(), "no ts"),
        F.when(is_possible(ts * 1_000, parameters), "ts in seconds"),
        F.when(is_possible(ts / 1_000, parameters), "ts in microseconds"),
        F.when(~is_possible(ts, parameters), "impossible ts"),
        *(F.when(F.col(f"fields.{key}").isNull(), f"no {key}") for key in REQUIRED),
        F.when(_has_no_user(), "no user"),
        F.when(~is_possible(registration, parameters), "impossible registration"),
        F.when(~_is_possible_item(), "impossible itemInSession"),
        F.when(~_is_known_plan(parameters), "impossible level"),
        F.when(_is_impossible_length(parameters), "impossible length"),
        F.when(F.col("copy") > 1, "duplicate"),
    )


def is_possible(epoch_ms: Column, parameters: DataProcessingParameters) -> Column:
    """Return whether a timestamp, epoch milliseconds UTC, lies within the days that can be."""
    return epoch_ms.between(parameters.earliest_ms, parameters.latest_ms - 1)


def level(parameters: DataProcessingParameters) -> Column:
    """Return free or paid, by the plan that a line names; what is neither stays as it is."""
    plan = F.col("fields.level")
    told = [F.when(plan.isin(*plans), name) for name, plans in parameters.levels.items()]
    return F.coalesce(*told, plan)


def _is_known_plan(parameters: DataProcessingParameters) -> Column:
    return F.col("fields.level").isin([plan for of in parameters.levels.values() for plan in of])


def _is_corrupt() -> Column:
    return F.col("fields").isNull() | F.col(f"fields.{parsing.CORRUPT}").isNotNull()


def _has_no_user() -> Column:
    user_id = F.col("fields.userId")
    return F.col("fields.registration").isNull() | user_id.isNull() | (user_id == "")


def _is_possible_item() -> Column:
    return F.col("fields.itemInSession").between(0, parsing.MOST_ITEMS - 1)


def _is_impossible_length(parameters: DataProcessingParameters) -> Column:
    is_possible = F.col("fields.length").between(0, parameters.longest_song_seconds)
    return F.coalesce(~is_possible, F.lit(False))
