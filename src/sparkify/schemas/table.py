"""Tables as schemas, read from tables.yml, and the check of a DataFrame against one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Annotated, Any, NamedTuple, TypeVar

import yaml
from pydantic import StringConstraints
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from sparkify.errors import UserError

COUNT, NUMBER = T.LongType(), T.DoubleType()

# Column names become part of SQL statements and file names, so only plain words are allowed.
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]


class PartitionUpdate(NamedTuple):
    """New rows of a table in partitions, and all partitions that the table has then.

    Attributes:
        rows: the rows of the partitions that are written, in one DataFrame or one for each.
        written: the names of these partitions; they may be without rows.
        partitions: by partition, what the table's manifest stores about it. Partitions of the
            table that are not here are removed.
        about: what the manifest stores about the table.
    """

    rows: DataFrame | Mapping[str, DataFrame]
    written: Sequence[str]
    partitions: Mapping[str, Mapping[str, Any]]
    about: Mapping[str, Any]


Rows = TypeVar("Rows", DataFrame, PartitionUpdate)


class SchemaError(UserError):
    """A table does not have the columns of its schema."""


@dataclass(frozen=True)
class Column:
    """A column: name, type, and one sentence on its meaning.

    A name with `*` is a pattern that matches the columns named by parameters.
    """

    name: str
    type: T.DataType
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table: its grain, and its columns in order."""

    grain: str
    definition: tuple[Column, ...]

    @property
    def columns(self) -> list[str]:
        """The column names in order, without patterns."""
        return [column.name for column in self.definition if "*" not in column.name]

    @property
    def struct(self) -> T.StructType:
        """The Spark schema, without patterns."""
        return T.StructType([T.StructField(c.name, c.type) for c in self.definition])

    def validate(self, data: Rows) -> Rows:
        """Return the rows if they have exactly the table's columns; nullability is free.

        Raises a SchemaError naming columns that are missing, unexpected or of another type.
        """
        rows = data.rows if isinstance(data, PartitionUpdate) else data
        for frame in rows.values() if isinstance(rows, Mapping) else [rows]:
            self._validate_frame(frame)
        return data

    def _validate_frame(self, frame: DataFrame) -> None:
        types = {field.name: field.dataType.simpleString() for field in frame.schema}
        problems = [f"'{name}' is missing" for name in self.columns if name not in types]
        for name, data_type in types.items():
            exact_first = sorted(self.definition, key=lambda column: column.name != name)
            matching = (c.type.simpleString() for c in exact_first if fnmatchcase(name, c.name))
            expected = next(matching, None)
            if expected is None:
                problems.append(f"'{name}' is not expected")
            elif data_type != expected:
                problems.append(f"'{name}' is {data_type}, not {expected}")
        if problems:
            raise SchemaError(f"columns differ from the schema: {'; '.join(problems)}.")


def _read_columns(entries: list[Any]) -> Iterator[Column]:
    """Yield columns in order; an entry that is a list of columns is joined."""
    for entry in entries:
        if isinstance(entry[0], list):
            yield from _read_columns(entry)
        else:
            name, data_type, meaning = entry
            field = {"name": name, "type": data_type, "nullable": True, "metadata": {}}
            yield Column(name, T.StructField.fromJson(field).dataType, meaning)


_text = files(__package__).joinpath("tables.yml").read_text(encoding="utf-8")
_definitions: dict[str, Any] = yaml.safe_load(_text)
_shared = _definitions.pop("shared")
TABLES = {
    name: Table(table["grain"], tuple(_read_columns(table["columns"])))
    for name, table in _definitions.items()
}
HISTORY_SUMS, STATES = (tuple(_read_columns(_shared[name])) for name in ("history_sums", "states"))
