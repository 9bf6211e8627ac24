"""Tables as schemas: grain, columns, types and units, and the check of a DataFrame against one."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import StringConstraints
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from sparkify.errors import UserError

TEXT, FLAG, DAY, TIME = T.StringType(), T.BooleanType(), T.DateType(), T.TimestampType()
COUNT, NUMBER, SMALL = T.LongType(), T.DoubleType(), T.IntegerType()
TEXTS = T.ArrayType(TEXT)

# Column names become part of SQL statements and file names, so only plain words are allowed.
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]


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

    def validate(self, frame: DataFrame) -> DataFrame:
        """Return the DataFrame if it has exactly the table's columns; nullability is free.

        Raises:
            SchemaError: naming the columns that are missing, unexpected or of another type.
        """
        found = {field.name: field.dataType.simpleString() for field in frame.schema}
        problems = [f"'{name}' is missing" for name in self.columns if name not in found]
        for name, data_type in found.items():
            expected = self._expected_type(name)
            if expected is None:
                problems.append(f"'{name}' is not expected")
            elif data_type != expected:
                problems.append(f"'{name}' is {data_type}, not {expected}")
        if problems:
            raise SchemaError(f"columns differ from the schema: {'; '.join(problems)}.")
        return frame

    def _expected_type(self, name: str) -> str | None:
        exact_first = sorted(self.definition, key=lambda column: column.name != name)
        matching = (c.type.simpleString() for c in exact_first if fnmatchcase(name, c.name))
        return next(matching, None)
