"""Compare the results of two runs: the number of equal digits."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset

NOT_COMPARED = {"uid", "timestamp"}  # in Spark ML stages; they differ between runs
PARTITIONS_NOT_COMPARED = {"save", "batch"}  # which files were written and read together
RUN_TIMES = {"run_timings", "fit_times"}  # tables of seconds
# Which files were read together and when; their records are compared.
READINGS = {"_manifest", "reading_plan", "record_counts"}
EXACT = 17  # digits of a double: every value is equal to the last bit
MIN_DIGITS = 9  # promised for the model and later, with several partitions of training rows
FIRST_LAYER_OF_MODELS = "06"

Values = Mapping[str, Any]


def read_results(data: Path) -> dict[str, Values]:
    """Read all results of a run from its data folder: by name, the values by position.

    Tables are sorted by the columns that are not floats. The last version of a versioned file is
    read, and the settings of a model's stages. Figures and reports are omitted.
    """
    results: dict[str, Values] = {}
    for path in sorted(data.glob("0[2-8]_*/**/*")):
        inside = str(path.relative_to(data))
        is_of_model = "stages" in inside or "metadata" in inside
        is_table = path.name in ("_SUCCESS", "_manifest.json") and "save=" not in inside
        if is_table and not is_of_model:
            results[str(path.parent.relative_to(data))] = _read_table(path.parent)
        elif path.name == "stages" and path.is_dir():
            results[_format_name(path.parent, data)] = dict(_read_stages(path))
        elif path.stem in READINGS:
            continue
        elif path.suffix == ".json" and path.is_file() and "stages" not in inside:
            content = json.loads(path.read_text(encoding="utf-8"))
            results[_format_name(path, data)] = dict(_flatten(content))
        elif path.suffix == ".csv" and path.is_file() and path.stem not in RUN_TIMES:
            with path.open(encoding="utf-8") as file:
                results[_format_name(path, data)] = dict(_flatten(list(csv.DictReader(file))))
    return results


def compare_results(one: Mapping[str, Values], other: Mapping[str, Values]) -> dict[str, int]:
    """Return the equal digits of each result, from 0 to 17 (identical).

    A result has the digits of its worst value. Values that are not floats have 17 or 0.
    """
    return {
        name: count_digits(one[name], other[name]) if name in one and name in other else 0
        for name in sorted({*one, *other})
    }


def list_below_promise(agreed: Mapping[str, int], partitions: int) -> list[str]:
    """Return the results that agree to fewer digits than promised.

    With one partition of training rows all results are identical. With more, MLlib merges sums in
    order of completion, so the model and later results agree to fewer digits.
    """
    return [
        name
        for name, digits in agreed.items()
        if digits < (EXACT if partitions == 1 or name < FIRST_LAYER_OF_MODELS else MIN_DIGITS)
    ]


def count_digits(one: Values, other: Values) -> int:
    """Return the digits to which all values of a result agree."""
    if one.keys() != other.keys():
        return 0
    return min((_count_digits(one[place], other[place]) for place in one), default=EXACT)


def _count_digits(one: Any, other: Any) -> int:
    left, right = np.asarray(one), np.asarray(other)
    if left.shape != right.shape:
        return 0
    if left.dtype.kind != "f":
        return EXACT if (left == right).all() else 0
    is_equal = (left == right) | (np.isnan(left) & np.isnan(right))
    if is_equal.all():
        return EXACT
    difference = np.abs(left - right)[~is_equal]
    scale = np.maximum(np.abs(left), np.abs(right))[~is_equal]
    worst = float((difference / scale).max())
    return min(EXACT - 1, max(0, math.floor(-math.log10(worst)))) if worst > 0 else EXACT


def _read_table(path: Path) -> Values:
    stored = pyarrow.dataset.dataset(path, partitioning="hive")
    table = stored.to_table(
        [name for name in stored.schema.names if name not in PARTITIONS_NOT_COMPARED]
    )
    nested = [field.name for field in table.schema if pyarrow.types.is_nested(field.type)]
    frame = table.drop_columns(nested).to_pandas()
    keys = [name for name in frame if not pd.api.types.is_float_dtype(frame[name])]
    texts = frame[keys].astype(str)
    order = texts.sort_values(list(keys), kind="stable").index
    columns = {
        name: (texts if name in keys else frame).loc[order, name].to_numpy() for name in frame
    }
    lists = table.select(nested).to_pydict().items()
    ordered = {name: [values[place] for place in order] for name, values in lists}
    return {**columns, **dict(_flatten(ordered))}


def _read_stages(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the class and the settings of each stage of a model."""
    stages = sorted(path.iterdir(), key=lambda stage: int(stage.name.partition("_")[0]))
    for place, stage in enumerate(stages):
        (part,) = stage.glob("metadata/part-*")
        metadata = json.loads(part.read_text(encoding="utf-8"))
        settings = {
            name: json.loads(value) if isinstance(value, str) and value.startswith("{") else value
            for name, value in metadata["paramMap"].items()
        }
        yield from _flatten({"class": metadata["class"], **settings}, f"{place}")


def _flatten(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            if key not in NOT_COMPARED:
                yield from _flatten(inner, f"{place}.{key}")
    else:
        yield place, _to_number(value)


def _to_number(value: Any) -> Any:
    """Return a float, also for a number with a point in a CSV file; other values as text."""
    if isinstance(value, float):
        return value
    try:
        return float(value) if isinstance(value, str) and "." in value else str(value)
    except ValueError:
        return value


def _format_name(path: Path, data: Path) -> str:
    """Return the path of a result without its version."""
    is_versioned = path.parents[1].name == path.name
    return str((path.parents[1] if is_versioned else path).relative_to(data))
