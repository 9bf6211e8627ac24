"""Parse the records of a log into rows of `checked_events`, with reasons for rejection."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema

from sparkify.log_formats.times import IMPOSSIBLE, UNITS, WRONG_TYPE
from sparkify.pipelines.data_processing.columns import (
    Column,
    TimeColumn,
    encode_texts,
    read_ids,
    read_names,
    read_numbers,
    read_texts,
    read_times,
    read_whole_numbers,
)
from sparkify.pipelines.data_processing.fields import (
    FIELDS,
    MAX_ITEMS,
    NOT_NULL,
    Kind,
    RecordShape,
)
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.records import (
    RecordDecoder,
    RecordQuoter,
    find_unknown_keys,
)
from sparkify.schemas import CHECKED_RECORDS, MALFORMED_ROW

MALFORMED_JSON = "malformed JSON"
NO_SOURCE = "no source"  # the record's file matches no pattern of data_processing.sources
NO_USER = "no user"
IMPOSSIBLE_LEVEL = "impossible level"
SCHEMA = to_arrow_schema(CHECKED_RECORDS.struct, timezone="UTC")
TIMESTAMP = pa.timestamp("us", "UTC")
READERS: dict[Kind, Callable[[list[Any]], Column]] = {
    "id": read_ids,
    "text": read_texts,
    "name": read_names,
    "whole number": read_whole_numbers,
    "number": read_numbers,
}
# Without itemInSession, its 21 bits order the events of a millisecond: ten by the microsecond,
# eleven by the record's hash.
MICROS_PER_MILLI = 1_000
HASH_VALUES = MAX_ITEMS // 1_024


def parse_records(
    batches: Iterator[pa.RecordBatch], parameters: DataProcessingParameters
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `checked_events` for batches of records, in order.

    Args:
        batches: `value` is a record's JSON as bytes, `record_hash` its hash, and `lists_keys`
            whether to search it for unknown keys. Optional columns are `file`, relative to the
            log, and `problem`, why the record could not be read from another format.
        parameters: how to read the log, and which values are possible.
    """
    parsers = [RecordParser(shape, parameters) for shape in parameters.shapes]
    for batch in batches:
        for file, part in _split_by_file(batch):
            parser = next((parser for parser in parsers if parser.shape.matches(file)), None)
            yield parser.parse(part, file) if parser else parsers[0].reject(part, NO_SOURCE)


def _split_by_file(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    if "file" not in batch.schema.names:
        yield "", batch
        return
    start = 0
    for file, rows in groupby(batch.column("file").to_pylist()):
        part = batch.slice(start, sum(1 for _ in rows))
        start += part.num_rows
        yield file, part


class Problem(NamedTuple):
    """A reason for rejection, and the records of a batch to which it applies."""

    reason: str
    mask: pa.BooleanArray


class RecordParser:
    """Parses the records of one shape."""

    def __init__(self, shape: RecordShape, parameters: DataProcessingParameters) -> None:
        self.shape = shape
        self._parameters = parameters
        self._times = parameters.time_reader
        self._decoder = RecordDecoder(shape)
        self._quoter = RecordQuoter(shape, parameters.max_line_characters)

    def parse(self, batch: pa.RecordBatch, file: str) -> pa.RecordBatch:
        """Return a row of `checked_events` for each record of a batch.

        Args:
            batch: records of one file, with the columns of `parse_records`.
            file: the name of the file, which may be the page.
        """
        records = batch.column("value").to_pylist()
        values, malformed = self._decoder.decode(records)
        for field in FIELDS.keys() - values.keys():
            values[field] = [self.shape.constants.get(field)] * len(records)
        if self.shape.page_from != "key":
            values["page"] = [self.shape.get_page(file)] * len(records)
        times = {
            field: read_times(values[field], self._times)
            for field, (_, kind) in FIELDS.items()
            if kind == "time"
        }
        columns = {
            field: READERS[kind](values[field])
            for field, (_, kind) in FIELDS.items()
            if kind != "time"
        }
        problems = find_problems(columns, times, self.shape, self._parameters)
        if malformed or "problem" in batch.schema.names:
            problems = _put_first(self._find_unreadable(batch, malformed), problems)
        typed = self._type_columns(columns, times, batch.column("record_hash"))
        return self._make_batch(batch, typed, problems)

    def reject(self, batch: pa.RecordBatch, reason: str) -> pa.RecordBatch:
        """Reject all records of a batch for one reason, without decoding them."""
        mask = pa.repeat(pa.scalar(True), batch.num_rows)
        return self._make_batch(batch, {}, [Problem(reason, mask)])

    def _find_unreadable(self, batch: pa.RecordBatch, malformed: list[int]) -> list[Problem]:
        """Return the problems of records that are not JSON objects or rows of their format."""
        flags = [False] * batch.num_rows
        for index in malformed:
            flags[index] = True
        is_malformed = pa.array(flags, pa.bool_())
        if "problem" not in batch.schema.names:
            return [Problem(MALFORMED_JSON, is_malformed)]
        is_bad_row = pc.fill_null(pc.equal(batch.column("problem"), MALFORMED_ROW), False)
        return [
            Problem(MALFORMED_ROW, is_bad_row),
            Problem(MALFORMED_JSON, pc.and_not(is_malformed, is_bad_row)),
        ]

    def _type_columns(
        self, columns: Mapping[str, Column], times: Mapping[str, TimeColumn], hashes: pa.Int64Array
    ) -> dict[str, pa.Array]:
        typed = {FIELDS[field][0]: column.values for field, column in columns.items()}
        micros = times["ts"].micros
        registration = times["registration"]
        formats = times["ts"].formats
        if self.shape.has("registration"):
            joined = pc.binary_join_element_wise(formats, registration.formats, " and ")
            differ = pc.fill_null(pc.not_equal(formats, registration.formats), False)
            formats = pc.if_else(differ, joined, formats) if pc.any(differ).as_py() else formats
        if not self.shape.has("itemInSession"):
            typed["item_in_session"] = _order_within_millisecond(micros, hashes)
        registered = registration.micros if self.shape.has("registration") else micros
        return {
            **typed,
            "level": _map_levels(typed["level"], self._parameters.plans),
            "ts": micros.cast(TIMESTAMP),
            "registration": registered.cast(TIMESTAMP),
            "time_format": formats,
        }

    def _make_batch(
        self, batch: pa.RecordBatch, typed: dict[str, pa.Array], problems: list[Problem]
    ) -> pa.RecordBatch:
        """Return the rows of a batch: typed columns, reasons, quotes and unknown keys."""
        reasons: list[list[str] | None] = [None] * batch.num_rows
        lines: list[str | None] = [None] * batch.num_rows
        for reason, mask in problems:
            for index in pc.indices_nonzero(mask).to_pylist():
                reasons[index] = [*(reasons[index] or []), reason]
        records = batch.column("value")
        for index, listed in enumerate(reasons):
            if listed:
                lines[index] = self._quoter.quote(records[index].as_py())
        typed |= {
            "record_hash": batch.column("record_hash"),
            "line": encode_texts(lines),
            "unknown_columns": self._list_unknown_keys(batch),
            "problems": pa.array(reasons, pa.list_(pa.string())),
            "rejection": pa.array([listed and listed[0] for listed in reasons], pa.string()),
        }
        arrays = [
            typed.get(name, pa.nulls(batch.num_rows, SCHEMA.field(name).type))
            for name in SCHEMA.names
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)

    def _list_unknown_keys(self, batch: pa.RecordBatch) -> pa.ListArray:
        unknown: list[list[str] | None] = [None] * batch.num_rows
        values = batch.column("value")
        for index in pc.indices_nonzero(batch.column("lists_keys")).to_pylist():
            unknown[index] = find_unknown_keys(values[index].as_py(), self.shape.known_keys)
        return pa.array(unknown, pa.list_(pa.string()))


def _put_first(first: list[Problem], problems: list[Problem]) -> list[Problem]:
    """Put some problems first; other problems apply only to records without these."""
    has_first = reduce(pc.or_, [problem.mask for problem in first])
    rest = [Problem(reason, pc.and_not(mask, has_first)) for reason, mask in problems]
    return [*first, *rest]


def _order_within_millisecond(micros: pa.Int64Array, hashes: pa.Int64Array) -> pa.Int64Array:
    """Return a number below `MAX_ITEMS` that orders the events of a millisecond."""
    millis = pc.divide(micros, MICROS_PER_MILLI)
    rest = pc.subtract(micros, pc.multiply(millis, MICROS_PER_MILLI))
    return pc.add(pc.multiply(rest, HASH_VALUES), pc.bit_wise_and(hashes, HASH_VALUES - 1))


def _map_levels(plans: pa.StringArray, levels: Mapping[str, str]) -> pa.StringArray:
    """Map names of plans to free or paid; other values do not change."""
    indices = pc.index_in(plans, pa.array(levels.keys(), pa.string()))
    return pc.coalesce(pa.array(levels.values(), pa.string()).take(indices), plans)


def find_problems(
    columns: Mapping[str, Column],
    times: Mapping[str, TimeColumn],
    shape: RecordShape,
    parameters: DataProcessingParameters,
) -> list[Problem]:
    """Return the reasons for rejection in a batch, by priority.

    Args:
        columns: the typed values of all fields but times.
        times: the typed values of `ts` and `registration`.
        shape: which fields the records have.
        parameters: which values are possible.
    """
    masks = {
        **{f"wrong type of {field}": _is_wrong(field, columns, times) for field in FIELDS},
        "no ts": _is_missing(times["ts"]),
        **{
            f"ts in {name}": pc.equal(times["ts"].problems, f"in {name}")
            for _, name in UNITS.values()
        },
        "impossible ts": pc.equal(times["ts"].problems, IMPOSSIBLE),
        **{
            f"no {field}": pc.and_not(columns[field].values.is_null(), columns[field].is_wrong)
            for field in NOT_NULL
            if shape.has(field)
        },
        NO_USER: _has_no_user(columns, times, shape),
        "impossible registration": pc.or_(
            pc.equal(times["registration"].problems, IMPOSSIBLE),
            pc.starts_with(times["registration"].problems, "in "),
        ),
        "impossible itemInSession": _is_outside(columns["itemInSession"], MAX_ITEMS - 1),
        IMPOSSIBLE_LEVEL: _is_unknown(columns["level"], parameters.plans),
        "impossible length": _is_outside(columns["length"], parameters.max_song_seconds),
        "impossible revenue": _is_outside(columns["revenue"], parameters.max_monthly_revenue),
    }
    problems = ((reason, mask.fill_null(False)) for reason, mask in masks.items())
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


def _is_outside(column: Column, last: float) -> pa.BooleanArray:
    return pc.or_(pc.less(column.values, 0), pc.greater(column.values, last))


def _is_unknown(level: Column, plans: Mapping[str, str]) -> pa.BooleanArray:
    is_known = pc.is_in(level.values, pa.array(plans, pa.string()))
    return pc.and_not(level.values.is_valid(), is_known)
