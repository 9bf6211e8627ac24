"""Tables as schemas: grain, columns, types and units, and the check of a DataFrame against one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import StringConstraints
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from sparkify.errors import UserError

TEXT, FLAG, DAY, TIME = T.StringType(), T.BooleanType(), T.DateType(), T.TimestampType()
COUNT, NUMBER, SMALL = T.LongType(), T.DoubleType(), T.IntegerType()
TEXTS = T.ArrayType(TEXT)

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

        Raises:
            SchemaError: naming the columns that are missing, unexpected or of another type.
        """
        rows = data.rows if isinstance(data, PartitionUpdate) else data
        for frame in rows.values() if isinstance(rows, Mapping) else [rows]:
            self._validate_frame(frame)
        return data

    def _validate_frame(self, frame: DataFrame) -> None:
        types = {field.name: field.dataType.simpleString() for field in frame.schema}
        problems = [f"'{name}' is missing" for name in self.columns if name not in types]
        for name, data_type in types.items():
            expected = self._find_expected_type(name)
            if expected is None:
                problems.append(f"'{name}' is not expected")
            elif data_type != expected:
                problems.append(f"'{name}' is {data_type}, not {expected}")
        if problems:
            raise SchemaError(f"columns differ from the schema: {'; '.join(problems)}.")

    def _find_expected_type(self, name: str) -> str | None:
        exact_first = sorted(self.definition, key=lambda column: column.name != name)
        matching = (c.type.simpleString() for c in exact_first if fnmatchcase(name, c.name))
        return next(matching, None)
