"""Compare two tables of features."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset

RELATIVE = 1e-9  # the order of a sum changes further digits


def differences(ours: Path, theirs: Path) -> list[str]:
    """Return a line for each difference between two Parquet tables of features."""
    left, right = _table(ours), _table(theirs)
    missing = sorted(set(left.columns) ^ set(right.columns))
    if missing:
        return [f"only one has {', '.join(missing)}"]
    if not left.index.equals(right.index):
        return [f"{len(left)} and {len(right)} customers and cutoffs, not the same ones"]
    return [
        f"{name}: {left[name][differs].iloc[0]} and {right[name][differs].iloc[0]} at "
        f"{left.index[differs][0]}, {differs.sum()} rows in all"
        for name in left.columns
        if (differs := ~np.isclose(left[name], right[name], rtol=RELATIVE, atol=1e-9)).any()
    ]


def _table(path: Path) -> pd.DataFrame:
    frame = pyarrow.dataset.dataset(path).to_table().to_pandas()
    frame["cutoff"] = pd.to_datetime(frame["cutoff"])
    return frame.set_index(["user_id", "cutoff"]).sort_index()
