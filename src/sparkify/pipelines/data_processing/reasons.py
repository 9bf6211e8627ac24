"""Why a record of the log is no event."""

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sparkify.pipelines.data_processing.columns import Column
from sparkify.pipelines.data_processing.fields import (
    FIELDS,
    MAX_ITEMS,
    REQUIRED,
    RecordShape,
)
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.times import IMPOSSIBLE, UNITS, WRONG_TYPE, TimeColumn

MALFORMED_JSON = "malformed JSON"
NO_SOURCE = "no source"  # the record's file matches no pattern of data_processing.sources
NO_USER = "no user"
IMPOSSIBLE_LEVEL = "impossible level"


class Problem(NamedTuple):
    """A reason, and whether it holds against each record of a batch."""

    reason: str
    holds: pa.BooleanArray


def find_problems(
    columns: Mapping[str, Column],
    times: Mapping[str, TimeColumn],
    shape: RecordShape,
    parameters: DataProcessingParameters,
) -> list[Problem]:
    """Return every reason against any record of a batch, the weightiest first.

    Args:
        columns: the typed values of the fields that are no times.
        times: those of `ts` and `registration`.
        shape: which fields the records have at all.
        parameters: what is possible.
    """
    holds = {
        **{f"wrong type of {field}": _is_wrong(field, columns, times) for field in FIELDS},
        "no ts": _is_missing(times["ts"]),
        **{
            f"ts in {name}": pc.equal(times["ts"].problems, f"in {name}")
            for _, name in UNITS.values()
        },
        "impossible ts": pc.equal(times["ts"].problems, IMPOSSIBLE),
        **{
            f"no {field}": pc.and_not(columns[field].values.is_null(), columns[field].is_wrong)
            for field in REQUIRED
            if shape.has(field)
        },
        NO_USER: _has_no_user(columns, times, shape),
        "impossible registration": pc.or_(
            pc.equal(times["registration"].problems, IMPOSSIBLE),
            pc.starts_with(times["registration"].problems, "in "),
        ),
        "impossible itemInSession": _is_outside(columns["itemInSession"], MAX_ITEMS - 1),
        IMPOSSIBLE_LEVEL: _is_unknown(columns["level"], parameters.plans),
        "impossible length": _is_outside(columns["length"], parameters.longest_song_seconds),
    }
    problems = ((reason, mask.fill_null(False)) for reason, mask in holds.items())
    return [Problem(reason, mask) for reason, mask in problems if mask.true_count]


def _is_wrong(
    field: str, columns: Mapping[str, Column], times: Mapping[str, TimeColumn]
) -> pa.BooleanArray:
    if field in times:
        return pc.equal(times[field].problems, WRONG_TYPE)
    return columns[field].is_wrong


def _is_missing(column: TimeColumn) -> pa.BooleanArray:
    return pc.and_(column.micros.is_null(), column.problems.is_null())


def _has_no_user(
    columns: Mapping[str, Column], times: Mapping[str, TimeColumn], shape: RecordShape
) -> pa.BooleanArray:
    user = columns["userId"]
    has_none = pc.and_not(user.values.is_null(), user.is_wrong)
    if shape.has("registration"):
        has_none = pc.or_(has_none, _is_missing(times["registration"]))
    return has_none


def _is_outside(column: Column, last: int) -> pa.BooleanArray:
    return pc.or_(pc.less(column.values, 0), pc.greater(column.values, last))


def _is_unknown(level: Column, plans: Mapping[str, str]) -> pa.BooleanArray:
    is_known = pc.is_in(level.values, pa.array(plans, pa.string()))
    return pc.and_not(level.values.is_valid(), is_known)
