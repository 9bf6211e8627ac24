"""Remove customers to forget from every table of earlier runs."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro_datasets.partitions import PartitionedDataset

from sparkify.datasets import CSVDataset, CSVTableDataset, ParquetDataset, ParquetTableDataset
from sparkify.pipelines.data_processing.changed_days import digest_texts
from sparkify.pipelines.data_processing.forgetting import ID_COLUMN, drop_customers, list_ids

logger = logging.getLogger(__name__)
CUSTOMERS, FORGOTTEN = "customers_to_forget", "forgotten_customers"
RAW_LAYER = "01_raw"  # the user's files


class ForgetCustomersHooks:
    """Removes customers from the tables of earlier runs, once the list of them has changed.

    `data_processing` leaves them out of new tables. Here they are removed from histories, which are
    never made anew, and from tables of pipelines that do not run.
    """

    @hook_impl
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Remove the customers from all tables outside 01_raw."""
        if CUSTOMERS not in catalog:
            return
        ids = list_ids(catalog.load(CUSTOMERS))
        digest = digest_texts(ids)
        if not ids or catalog.load(FORGOTTEN).get("digest") == digest:
            return
        declared = {*catalog, *(name for one in pipelines.values() for name in one.datasets())}
        changed = [name for name in sorted(declared) if _remove_from(catalog, name, ids)]
        # Written last: a killed run starts again.
        catalog.save(FORGOTTEN, {"digest": digest, "customers": len(ids)})
        logger.info(
            "%d customers to forget were removed from %s. Reports and summaries may quote them "
            "until their pipelines have run",
            len(ids),
            ", ".join(changed) or "no table",
        )


def _remove_from(catalog: DataCatalog, name: str, ids: Sequence[str]) -> bool:
    """Remove customers from a dataset if it is a table with them; return whether it was."""
    dataset = None if name.startswith("param") else catalog.get(name)
    remove = _find_remover(dataset)
    if remove is None or dataset is None or not dataset.exists():
        return False
    metadata = getattr(dataset, "metadata", None) or {}
    if (metadata.get("layer") or metadata.get("kedro-viz", {}).get("layer")) == RAW_LAYER:
        return False
    return remove(ids)


def _find_remover(dataset: Any) -> Callable[[Sequence[str]], bool] | None:
    if isinstance(dataset, ParquetTableDataset):
        return partial(_remove_from_spark_table, dataset)
    if isinstance(dataset, CSVTableDataset):
        return partial(_remove_from_csv_table, dataset)
    if isinstance(dataset, CSVDataset | ParquetDataset):
        return partial(_remove_from_pandas_table, dataset)
    if isinstance(dataset, PartitionedDataset):
        return partial(_remove_from_partitions, dataset)
    return None


def _remove_from_spark_table(dataset: ParquetTableDataset, ids: Sequence[str]) -> bool:
    kept = _drop_rows(dataset.load(), ids)
    if kept is not None:
        dataset.replace_rows(kept)
    return kept is not None


def _remove_from_pandas_table(dataset: CSVDataset | ParquetDataset, ids: Sequence[str]) -> bool:
    kept = _drop_rows(dataset.load(), ids)
    if kept is not None:
        dataset.save(kept)
    return kept is not None


def _remove_from_csv_table(dataset: CSVTableDataset, ids: Sequence[str]) -> bool:
    has_changed = False
    for file, load in dataset.load().items():  # one at a time in memory
        kept = _drop_rows(load(), ids)
        if kept is not None:
            dataset.replace_file(file, kept)
            has_changed = True
    return has_changed


def _remove_from_partitions(dataset: PartitionedDataset, ids: Sequence[str]) -> bool:
    dataset.release()
    kept = {name: _drop_rows(load(), ids) for name, load in dataset.load().items()}
    changed = {name: rows for name, rows in kept.items() if rows is not None}
    if changed:
        dataset.save(changed)
        dataset.release()
    return bool(changed)


def _drop_rows(table: Any, ids: Sequence[str]) -> Any:
    """Return the rows of other customers, of a Spark or pandas table; None if these are all."""
    if ID_COLUMN not in table.columns:
        return None
    if isinstance(table, pd.DataFrame):
        kept = table[~table[ID_COLUMN].astype(str).isin([*ids])].reset_index(drop=True)
        return kept if len(kept) < len(table) else None
    others = drop_customers(table, ids)
    return others if others.count() < table.count() else None
