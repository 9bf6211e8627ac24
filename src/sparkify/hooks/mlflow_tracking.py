"""Log runs to MLflow, where it is installed: parameters, metrics, figures, reports and model."""

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

from sparkify.datasets import SavedDatasetGroup
from sparkify.datasets.statistics import find_saved

METRICS = ("metrics", "data_quality")  # datasets whose numbers are logged as metrics
LOGGED_LAYERS = ("06_models", "08_reporting")  # these have no tables of customers
MAX_CHARACTERS = 6_000  # of a parameter in MLflow


class MLflowHooks:
    """Logs a run's parameters and results, by the settings in conf/<env>/tracking.yml.

    kedro-mlflow needs its own dataset types in the catalog. Here no other module depends on
    MLflow.
    """

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] = {}
        self._parameters: Mapping[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the run's parameters and the tracking settings."""
        self._settings = context.config_loader["tracking"]
        self._parameters = context.params

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Log a run that has succeeded."""
        if not self._settings.get("uri") or find_spec("mlflow") is None:
            return
        outputs = pipeline.all_outputs()
        results = {name: catalog.load(name) for name in METRICS if name in outputs}
        with tempfile.TemporaryDirectory() as folder:
            for name in outputs:
                _copy_artifact(catalog, name, Path(folder))
            self._log(run_params, dict(_flatten_numbers(results)), folder)

    def _log(self, run_params: dict[str, Any], metrics: dict[str, float], artifacts: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        import mlflow  # noqa: PLC0415 -- an optional dependency

        mlflow.set_tracking_uri(self._settings["uri"])
        name, location = self._settings["experiment"], self._settings["artifacts"]
        if location and mlflow.get_experiment_by_name(name) is None:
            mlflow.create_experiment(name, artifact_location=Path(location).resolve().as_uri())
        mlflow.set_experiment(name)
        tags = {
            "env": run_params["env"] or settings.CONFIG_LOADER_ARGS["default_run_env"],
            "pipelines": ",".join(sorted(run_params.get("pipeline_names") or ["__default__"])),
        }
        with mlflow.start_run(run_name=str(run_params["run_id"]), tags=tags):
            mlflow.log_params(dict(_flatten_parameters(self._parameters)))
            mlflow.log_metrics(metrics)
            mlflow.log_artifacts(artifacts)


def _copy_artifact(catalog: DataCatalog, name: str, folder: Path) -> None:
    """Copy the files of a dataset, or of those that it saves, if its layer is logged."""
    dataset = catalog.get(name)
    metadata = getattr(dataset, "metadata", None) or {}
    layer = metadata.get("layer") or metadata.get("kedro-viz", {}).get("layer")
    if layer not in LOGGED_LAYERS:
        return
    members = dataset.members if isinstance(dataset, SavedDatasetGroup) else [dataset]
    for filesystem, path in filter(None, map(find_saved, members)):
        target = folder / layer / Path(path).name
        for file in filesystem.find(path):  # `get` reads [ and * as patterns
            copy = Path(f"{target}{file.removeprefix(path)}")
            copy.parent.mkdir(parents=True, exist_ok=True)
            filesystem.get_file(file, str(copy))


def _flatten_parameters(
    parameters: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield each parameter by its dotted name, lists as JSON."""
    for key, value in parameters.items():
        if isinstance(value, BaseModel):  # Kedro has validated it
            yield from _flatten_parameters(value.model_dump(mode="json"), f"{prefix}{key}.")
        elif isinstance(value, Mapping) and value:
            yield from _flatten_parameters(value, f"{prefix}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            yield prefix + key, text[:MAX_CHARACTERS]


def _flatten_numbers(results: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number by its dotted name; an interval yields its two bounds."""
    for key, value in results.items():
        if isinstance(value, Mapping):
            yield from _flatten_numbers(value, f"{prefix}{key}.")
        elif key == "ci95" and value:
            yield f"{prefix}low", float(value[0])
            yield f"{prefix}high", float(value[1])
        elif isinstance(value, int | float):
            yield prefix + key, float(value)
