"""What a table promises, and whether a frame keeps it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from sparkify.errors import UserError

# Names of columns become part of SQL statements and file names: only a plain word can be one.
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]


class SchemaError(UserError):
    """A table does not have the columns that its schema promises."""


@dataclass(frozen=True)
class Column:
    """A column: its name, its type and one sentence on what it says."""

    name: str
    type: T.DataType
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table: what one row is, and its columns in order."""

    grain: str
    definition: tuple[Column, ...]

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.definition]

    @property
    def struct(self) -> T.StructType:
        """The table's schema as Spark knows it."""
        return T.StructType([T.StructField(c.name, c.type) for c in self.definition])

    def validate(self, frame: DataFrame) -> DataFrame:
        """Return the frame if it has exactly the table's columns; nullability is free.

        Raises:
            SchemaError: naming the columns that are missing, unexpected or of another type.
        """
        expected = {column.name: column.type for column in self.definition}
        found = {field.name: field.dataType for field in frame.schema}
        complaints = [
            *(f"'{name}' is missing" for name in expected if name not in found),
            *(f"'{name}' is not expected" for name in found if name not in expected),
            *(
                f"'{name}' is {found[name].simpleString()}, not {kind.simpleString()}"
                for name, kind in expected.items()
                if name in found and not _same_type(found[name], kind)
            ),
        ]
        if complaints:
            raise SchemaError(f"columns differ from the schema: {'; '.join(complaints)}.")
        return frame


def _same_type(found: T.DataType, expected: T.DataType) -> bool:
    return found.simpleString() == expected.simpleString()
