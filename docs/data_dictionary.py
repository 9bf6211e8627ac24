"""Write docs/data.md, the data dictionary: `make dictionary`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogConfigResolver

import sparkify.schemas
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import CURRENT_SNAPSHOTS, FEATURES, MODEL_INPUT, USER_DAYS
from sparkify.schemas.customers import feature_columns
from sparkify.schemas.table import COUNT, Column, Table
from sparkify.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "data.md"
# Pipelines in the order of the data flow; a dataset is in the section of its first writer.
PIPELINE_ORDER = (
    *("simulation", "data_processing", "feature_engineering", "modelling", "evaluation"),
    *("scoring", "monitoring", "campaigns", "validation", "retrospective", "reporting"),
)
INTRODUCTION = (
    "# Data dictionary\n"
    "Every dataset of the catalog, by the pipeline that writes it. Each table has its grain "
    "and its columns; other datasets follow.\n"
    "\n"
    "Paths are those of the environment `mini`. Times are UTC. Types are Spark's: `bigint` is"
    " a 64-bit integer, `double` a 64-bit float. The columns of pages are those of the "
    "default parameters of `feature_engineering`.\n"
    "\n"
    "`make dictionary` writes this page from the schemas in `src/sparkify/schemas`, which the"
    " catalog checks when a table is saved, and from the descriptions in `conf/base/catalog`.\n"
    "\n"
)


def write_dictionary() -> str:
    """Return the page as Markdown."""
    bootstrap_project(ROOT)
    loader = OmegaConfigLoader(str(ROOT / "conf"), env="mini", **CONFIG_LOADER_ARGS)
    resolver = CatalogConfigResolver(loader["catalog"])
    engineering = FeatureEngineeringParameters.model_validate(
        loader["parameters"]["feature_engineering"]
    )
    lines, described, first_use = [INTRODUCTION], set[str](), dict[str, str]()
    for pipeline in PIPELINE_ORDER:
        outputs = [name for node in pipelines[pipeline].nodes for name in node.outputs]
        read_first = ["raw_events"] if pipeline == "data_processing" else []
        entries = {
            name: resolver.config.get(name) or resolver.resolve_pattern(name)
            for name in sorted(
                {*outputs, *read_first} - described, key=[*read_first, *outputs].index
            )
        }
        described.update(entries)
        lines.append(f"## {pipeline}\n")
        for name, entry in entries.items():
            if "validator" in entry:
                schema = entry["validator"]["class"].rpartition(".")[2]
                lines += _format_table(name, entry, schema, first_use, engineering)
        files = {name: entry for name, entry in entries.items() if "validator" not in entry}
        if files:
            lines += [*_format_files(files), ""]
    return "\n".join(lines)


def _format_table(
    name: str,
    entry: dict[str, Any],
    schema: str,
    first_use: dict[str, str],
    engineering: FeatureEngineeringParameters,
) -> Iterator[str]:
    table, path = getattr(sparkify.schemas, schema), entry.get("filepath")
    yield f"### {name}"
    yield f"{table.grain} {f'Parquet in `{path}`.' if path else 'In memory only.'}"
    if schema in first_use:
        yield f"Columns as in `{first_use[schema]}`.\n"
        return
    first_use[schema] = name
    yield from ("", "| column | type | meaning |", "|---|---|---|")
    for column in _list_columns(table, engineering):
        yield f"| `{column.name}` | {column.type.simpleString()} | {column.meaning} |"
    yield "\nThen the columns of `features`.\n" if table is MODEL_INPUT else ""


def _list_columns(table: Table, engineering: FeatureEngineeringParameters) -> list[Column]:
    """Return the columns of a table; parameters replace patterns by columns."""
    names = engineering.pages, engineering.by_level
    if table is FEATURES:
        columns = feature_columns(*names, engineering.windowed, engineering.windows_days)
        return [*CURRENT_SNAPSHOTS.definition, *columns]
    if table is MODEL_INPUT:
        return [column for column in table.definition if column not in FEATURES.definition[2:]]
    if table is USER_DAYS:
        counts = {
            "*": [
                Column(name, COUNT, f"Events on page {page}.")
                for name, page in engineering.pages.items()
            ],
            "free_*": [
                Column(
                    f"free_{name}", COUNT, f"Events on page {engineering.pages[name]}, free level."
                )
                for name in engineering.by_level
            ],
        }
        return [column for one in table.definition for column in counts.get(one.name, [one])]
    return list(table.definition)


def _format_files(entries: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield from ("### Other datasets", "| dataset | file | content |", "|---|---|---|")
    for name, entry in entries.items():
        description = entry["metadata"]["kedro-viz"]["description"]
        place = ", ".join(f"`{path}`" for path in _list_paths(entry)) or "in memory"
        yield f"| `{name.partition('@')[0]}` | {place} | {description} |"


def _list_paths(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the path of a dataset, and of the datasets of a group."""
    path = entry.get("filepath") or entry.get("path")
    if path:
        yield path
    for member in entry.get("datasets", {}).values():
        yield from _list_paths(member)


if __name__ == "__main__":
    PAGE.write_text(write_dictionary(), encoding="utf-8")
