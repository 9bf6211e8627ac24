"""Runs kept in MLflow, where it is installed: parameters, metrics, figures, reports and model."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from pydantic import BaseModel

from sparkify.datasets.statistics import saved_at

METRICS = ("metrics", "data_quality")  # whose numbers are logged as metrics
KEPT_LAYERS = ("06_models", "08_reporting")  # no table, and nothing of single customers
LONGEST = 6_000  # characters of a parameter that MLflow takes


class TrackingHooks:
    """Keeps what a run was asked and what it found, as conf/<env>/tracking.yml says.

    kedro-mlflow keeps metrics and models through datasets of its own, which the catalog could
    then not do without; here nothing else in the project knows of MLflow.
    """

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] = {}
        self._parameters: Mapping[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Note the run's parameters, and where it is to be kept."""
        self._settings = context.config_loader["tracking"]
        self._parameters = context.params

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Keep a run that has ended well."""
        if not self._settings.get("uri") or find_spec("mlflow") is None:
            return
        made = pipeline.all_outputs()
        with tempfile.TemporaryDirectory() as folder:
            for name in made:
                _copied(catalog, name, Path(folder))
            numbers = dict(_numbers({name: catalog.load(name) for name in METRICS if name in made}))
            self._keep(run_params, numbers, folder)

    def _keep(self, run_params: dict[str, Any], numbers: dict[str, float], folder: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        import mlflow  # noqa: PLC0415 -- an extra that may be missing

        mlflow.set_tracking_uri(self._settings["uri"])
        name, place = self._settings["experiment"], self._settings["artifacts"]
        if place and mlflow.get_experiment_by_name(name) is None:
            mlflow.create_experiment(name, artifact_location=Path(place).resolve().as_uri())
        mlflow.set_experiment(name)
        tags = {
            "env": run_params["env"] or settings.CONFIG_LOADER_ARGS["default_run_env"],
            "pipelines": ",".join(sorted(run_params.get("pipeline_names") or ["__default__"])),
        }
        with mlflow.start_run(run_name=str(run_params["run_id"]), tags=tags):
            mlflow.log_params(dict(_texts(self._parameters)))
            mlflow.log_metrics(numbers)
            mlflow.log_artifacts(folder)


def _copied(catalog: DataCatalog, name: str, folder: Path) -> None:
    """Copy what a dataset has saved, if it is of a kind that is kept."""
    dataset = catalog.get(name)
    metadata = getattr(dataset, "metadata", None) or {}
    layer = metadata.get("layer") or metadata.get("kedro-viz", {}).get("layer")
    place = saved_at(dataset) if layer in KEPT_LAYERS else None
    if layer and place is not None:
        filesystem, path = place
        kept = folder / layer / Path(path).name
        for file in filesystem.find(path):  # `get` would take [ and * in the path for a pattern
            copy = Path(f"{kept}{file.removeprefix(path)}")
            copy.parent.mkdir(parents=True, exist_ok=True)
            filesystem.get_file(file, str(copy))


def _texts(parameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give each parameter by its full name, lists as JSON."""
    for key, value in parameters.items():
        if isinstance(value, BaseModel):  # as Kedro gives what nodes declare
            yield from _texts(value.model_dump(mode="json"), f"{prefix}{key}.")
        elif isinstance(value, Mapping) and value:
            yield from _texts(value, f"{prefix}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            yield prefix + key, text[:LONGEST]


def _numbers(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Give each number by its full name, of an interval its lower and upper end."""
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}.")
        elif key == "ci95" and value:
            yield f"{prefix}low", float(value[0])
            yield f"{prefix}high", float(value[1])
        elif isinstance(value, int | float):
            yield prefix + key, float(value)
