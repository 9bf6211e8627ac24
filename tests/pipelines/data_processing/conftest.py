from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.parsing import parse_records


@pytest.fixture(scope="session")
def checks(parameters: dict[str, Any]) -> DataProcessingParameters:
    """Return the parameters of the mini environment."""
    section: DataProcessingParameters = parameters["data_processing"]
    return section


@pytest.fixture(scope="session")
def changed(checks: DataProcessingParameters) -> Callable[..., DataProcessingParameters]:
    """Return a function that changes some of the parameters, and merges `fields`."""

    def change(fields: dict[str, str | None] | None = None, **changes: Any) -> Any:
        usual = checks.model_dump()
        return DataProcessingParameters.model_validate(
            {**usual, **changes, "fields": {**usual["fields"], **(fields or {})}}
        )

    return change


def parse_batches(
    parameters: DataProcessingParameters, *batches: pa.RecordBatch
) -> list[dict[str, Any]]:
    """Return the rows of `checked_events` for some batches."""
    return [row for batch in parse_records(iter(batches), parameters) for row in batch.to_pylist()]


def make_batch(*records: str | bytes, **columns: list[Any]) -> pa.RecordBatch:
    """Return a batch of records as Spark passes it, with other columns by name."""
    texts = [text if isinstance(text, bytes) else text.encode() for text in records]
    arrays = {
        "value": pa.array(texts, pa.binary()),
        "record_hash": pa.array(range(len(texts)), pa.int64()),
        "lists_keys": pa.array([True] * len(texts)),
        **{name: pa.array(values, pa.string()) for name, values in columns.items()},
    }
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


@pytest.fixture(scope="session")
def parse() -> Callable[..., list[dict[str, Any]]]:
    """Return a function that parses records into rows, without Spark."""

    def parse_texts(
        parameters: DataProcessingParameters, *records: str | bytes, **columns: list[Any]
    ) -> list[dict[str, Any]]:
        return parse_batches(parameters, make_batch(*records, **columns))

    return parse_texts
