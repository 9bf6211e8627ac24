"""A customer to forget is in no file of a project but those of the user."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

FORGOTTEN = "forget-me"


def rename_active_customer(log: Path) -> None:
    """Give the customer with the most events, who stays, an id that occurs nowhere else."""
    (part,) = log.glob("part-*")
    lines = part.read_text().splitlines()
    records = [json.loads(line) for line in lines]
    gone = {record["userId"] for record in records if record["page"].startswith("Cancel")}
    counts = Counter(record["userId"] for record in records if record["userId"])
    (customer,) = [user for user, _ in counts.most_common() if user not in gone][:1]
    broken = f'{{"userId":"{FORGOTTEN}","page":'
    old, new = f'"userId":"{customer}"', f'"userId":"{FORGOTTEN}"'
    part.write_text("\n".join([*(line.replace(old, new) for line in lines), broken]) + "\n")
    part.with_name(f".{part.name}.crc").unlink()


def list_files_with_customer(data: Path) -> list[str]:
    """Return the files outside 01_raw that have the customer's id, in a table or as text."""
    found = []
    for path in sorted(data.rglob("*")):
        if path.is_dir() or path.relative_to(data).parts[0] == "01_raw":
            continue
        if path.suffix == ".parquet":
            has_id = FORGOTTEN in pd.read_parquet(path).astype(str).to_csv()
        else:
            has_id = FORGOTTEN.encode() in path.read_bytes()
        if has_id:
            found.append(str(path.relative_to(data)))
    return found


def test_a_customer_to_forget_is_in_no_file_but_the_user_s(
    finished: Any, tmp_path: Path, logged: Any
) -> None:
    project = finished.copy_to(tmp_path / "forgetting")
    rename_active_customer(project.log)
    project.run("__default__", params=project.params)
    before = list_files_with_customer(project.folder / "data")
    history = next(path for path in before if "/score_history/" in path)
    folders = {part for path in before for part in Path(path).parts}
    assert {"checked_events", "features", "churn_scores", "data_quality.json"} <= folders
    (project.folder / "data/01_raw/mini/customers_to_forget.csv").write_text(
        f"user_id\n{FORGOTTEN}\n"
    )
    project.run("__default__", params=project.params)
    assert list_files_with_customer(project.folder / "data") == []
    assert (project.folder / "data" / history).parent.is_dir()  # of the other customers
    catalog = project.catalog()
    (named,) = catalog.load("files_to_clean")["files"]
    assert (project.log / named).exists()
    assert f"The log's file {named} has" in logged.text
    assert "customers_to_forget changed" in logged.text
