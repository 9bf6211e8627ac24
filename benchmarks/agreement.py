"""To how many digits two runs agree, value by value."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset

UNCOMPARED = {"uid", "timestamp"}  # of a Spark ML stage: another one in every run
TIMES = {"run_timings"}  # tables of what a clock says
EXACT = 17  # digits that a double can hold, and every value equal to the last bit
FROM_THE_MODEL_ON = 9  # digits that are promised where training rows are in several partitions
FIRST_LAYER_OF_MODELS = "06"

Values = Mapping[str, Any]


def results(data: Path) -> dict[str, Values]:
    """Read all that a run left in the layers below a folder, by name: values by their place.

    Tables are ordered by all that is no fraction in them. A versioned file counts as its last
    version, and a model as the settings of its stages. Pictures and pages only draw what the
    others say.
    """
    found: dict[str, Values] = {}
    for path in sorted(data.glob("0[2-8]_*/**/*")):
        inside = str(path.relative_to(data))
        if path.name == "_SUCCESS" and "stages" not in inside and "metadata" not in inside:
            found[str(path.parent.relative_to(data))] = _table(path.parent)
        elif path.name == "stages" and path.is_dir():
            found[_unversioned(path.parent, data)] = dict(_stages(path))
        elif path.suffix == ".json" and path.is_file() and "stages" not in inside:
            found[_unversioned(path, data)] = dict(
                _flat(json.loads(path.read_text(encoding="utf-8")))
            )
        elif path.suffix == ".csv" and path.is_file() and path.stem not in TIMES:
            with path.open(encoding="utf-8") as file:
                found[_unversioned(path, data)] = dict(_flat(list(csv.DictReader(file))))
    return found


def agreement(one: Mapping[str, Values], other: Mapping[str, Values]) -> dict[str, int]:
    """Say of each result to how many digits two runs agree: 17 is identical, 0 not at all.

    The digits are those of the value that agrees least; anything but a fraction agrees or not.
    """
    return {
        name: digits(one[name], other[name]) if name in one and name in other else 0
        for name in sorted({*one, *other})
    }


def broken(agreed: Mapping[str, int], partitions: int) -> list[str]:
    """Name the results that agree less than is promised.

    With one partition of training rows all is identical. Of more, MLlib merges sums and means in
    the order in which they are done, and what comes of the model agrees to fewer digits.
    """
    return [
        name
        for name, found in agreed.items()
        if found < (EXACT if partitions == 1 or name < FIRST_LAYER_OF_MODELS else FROM_THE_MODEL_ON)
    ]


def digits(one: Values, other: Values) -> int:
    """Return the digits to which all values of a result agree."""
    if one.keys() != other.keys():
        return 0
    return min((_digits(one[place], other[place]) for place in one), default=EXACT)


def _digits(one: Any, other: Any) -> int:
    left, right = np.asarray(one), np.asarray(other)
    if left.shape != right.shape:
        return 0
    if left.dtype.kind != "f":
        return EXACT if (left == right).all() else 0
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    if same.all():
        return EXACT
    apart = np.abs(left - right)[~same]
    largest = np.maximum(np.abs(left), np.abs(right))[~same]
    worst = float((apart / largest).max())
    return min(EXACT - 1, max(0, math.floor(-math.log10(worst)))) if worst > 0 else EXACT


def _table(path: Path) -> Values:
    table = pyarrow.dataset.dataset(path).to_table()
    nested = [field.name for field in table.schema if pyarrow.types.is_nested(field.type)]
    frame = table.drop_columns(nested).to_pandas()
    keys = [name for name in frame if not pd.api.types.is_float_dtype(frame[name])]
    as_text = frame[keys].astype(str)
    order = as_text.sort_values(list(keys), kind="stable").index
    plain = {
        name: (as_text if name in keys else frame).loc[order, name].to_numpy() for name in frame
    }
    lists = table.select(nested).to_pydict().items()
    within = {name: [values[place] for place in order] for name, values in lists}
    return {**plain, **dict(_flat(within))}


def _stages(path: Path) -> Iterator[tuple[str, Any]]:
    """Give the class and settings of a model's stages: formulas, model card."""
    for place, stage in enumerate(sorted(path.iterdir(), key=_place)):
        (part,) = stage.glob("metadata/part-*")
        said = json.loads(part.read_text(encoding="utf-8"))
        settings = {name: _opened(text) for name, text in said["paramMap"].items()}
        yield from _flat({"class": said["class"], **settings}, f"{place}")


def _place(stage: Path) -> int:
    return int(stage.name.partition("_")[0])


def _opened(value: Any) -> Any:
    """Return what a setting holds as JSON text, opened."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in UNCOMPARED:
                yield from _flat(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{place}.{number}")
    else:
        yield place, _number(value)


def _number(value: Any) -> Any:
    """Return a fraction as a float, even if a CSV file has it as text; else the value as text."""
    if isinstance(value, float):
        return value
    try:
        return float(value) if isinstance(value, str) and "." in value else str(value)
    except ValueError:
        return value


def _unversioned(path: Path, data: Path) -> str:
    """Return what a result is called without its version, the folder that it is in."""
    is_versioned = path.parents[1].name == path.name
    return str((path.parents[1] if is_versioned else path).relative_to(data))
