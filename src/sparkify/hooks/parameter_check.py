"""Check parameters before anything runs."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from glob import escape
from pathlib import Path
from typing import Any

import fsspec
from kedro.config import AbstractConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from pydantic import ValidationError

from sparkify.errors.parameter_errors import (
    ParameterError,
    format_choice,
    format_reserved_name,
    format_unknown_name,
    format_validation_errors,
    format_wrong_value,
)
from sparkify.pipelines.campaigns.parameters import CampaignParameters
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.parameters import (
    InputParameters,
    ModellingParameters,
    ReferenceParameters,
)
from sparkify.pipelines.monitoring.parameters import MonitoringParameters
from sparkify.pipelines.reporting.parameters import ReportingParameters
from sparkify.pipelines.retrospective.parameters import SeedProjectParameters
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.pipelines.validation.parameters import ValidationParameters
from sparkify.schemas.parameters import Parameters

# The model of each section of conf/. A node may read only a part of a section, so the types of
# nodes do not validate whole sections.
SECTIONS: dict[str, type[Parameters]] = {
    "campaigns": CampaignParameters,
    "data_processing": DataProcessingParameters,
    "evaluation": EvaluationParameters,
    "feature_engineering": FeatureEngineeringParameters,
    "inputs": InputParameters,
    "modelling": ModellingParameters,
    "monitoring": MonitoringParameters,
    "reference": ReferenceParameters,
    "reporting": ReportingParameters,
    "retrospective.inputs": InputParameters,
    "retrospective.seed_project": SeedProjectParameters,
    "scoring": ScoringParameters,
    "simulation": SimulationParameters,
    "validation": ValidationParameters,
}
PARAMS_PREFIX = "params:"
# ${globals:data_root}, ${runtime_params:cutoff,null} or ${data_root}: the resolver and the name.
REFERENCE = re.compile(r"\$\{(?:(runtime_params|globals):)?\s*([\w.]+)")
COMMENT = re.compile(r"(^|\s)#.*")


class ParameterCheckHooks:
    """Refuses parameters that are misspelt, have a wrong value, or contradict each other."""

    def __init__(self) -> None:
        self._parameters: Mapping[str, Any] = {}

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Raise a ParameterError with one sentence for each wrong name or value in conf/."""
        loader = context.config_loader
        for section in ("globals", "parameters"):
            loader[section] = loader[section]  # Kedro would read the files again at each access
        self._parameters, referenced = loader["parameters"], find_referenced_names(loader)
        names = {*SECTIONS, *referenced["runtime_params"], *referenced[""]}
        global_names = referenced["globals"] | referenced[""]
        _raise_errors(
            [
                *find_unread_names(self._parameters, names),
                *find_unread_names(loader["globals"], global_names, "globals."),
                *find_invalid_values(self._parameters),
            ]
        )

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Raise a ParameterError if the sections that the run reads do not fit together."""
        names = sorted(name for name in pipeline.inputs() if name.startswith(PARAMS_PREFIX))
        missing = [name.removeprefix(PARAMS_PREFIX) for name in names if name not in catalog]
        _raise_errors([f"{name} is missing in conf/base." for name in missing])
        sections = {
            section: SECTIONS[section].model_validate(value)
            for section, value in _list_sections(self._parameters)
            if any(f"{name}.".startswith(f"{PARAMS_PREFIX}{section}.") for name in names)
        }
        engineering = FeatureEngineeringParameters.model_validate(
            self._parameters["feature_engineering"]
        )
        _raise_errors([*find_unknown_features(sections, engineering.feature_columns)])


def _raise_errors(sentences: list[str]) -> None:
    if sentences:
        raise ParameterError("\n".join(sentences))


def _list_sections(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of each section that is set."""
    for section in SECTIONS:
        value: Any = parameters
        for name in section.split("."):
            value = value.get(name, ...) if isinstance(value, Mapping) else ...
        if value is not ...:
            yield section, value


def find_referenced_names(loader: AbstractConfigLoader) -> dict[str, set[str]]:
    """Return the names that configuration files refer to, by resolver; "" without a resolver."""
    names: dict[str, set[str]] = {"globals": set(), "runtime_params": set(), "": set()}
    defaults = settings.CONFIG_LOADER_ARGS
    for env in {defaults["base_env"], loader.env or defaults["default_run_env"]}:
        pattern = _make_glob_pattern(str(loader.conf_source), env)
        for file in fsspec.open_files(pattern, "rt", encoding="utf-8"):
            if Path(file.path).suffix in (".yml", ".yaml", ".json"):
                with file as lines:
                    text = "\n".join(COMMENT.sub("", line) for line in lines)
                for resolver, name in REFERENCE.findall(text):
                    if not name.startswith("_"):  # a template of the catalog, not a parameter
                        names[resolver].add(name.rstrip("."))
    return names


def _make_glob_pattern(conf_source: str, env: str) -> str:
    """Return the pattern of an environment's files, in a folder or in a packaged archive."""
    if Path(conf_source).is_file():
        kind = "zip" if zipfile.is_zipfile(conf_source) else "tar"
        return f"{kind}://*/{env}/**::{conf_source}"
    return f"{escape(conf_source)}/{env}/**"


def find_unread_names(
    values: Mapping[str, Any], read: Iterable[str], prefix: str = ""
) -> Iterator[str]:
    """Yield one sentence for each name, at any depth, that nothing reads.

    `read` has dotted names of single values or whole sections. `prefix` precedes all names.
    """
    first_parts = sorted({name.partition(".")[0] for name in read})
    for name, value in values.items():
        if name in read:
            continue
        inner = {one.removeprefix(f"{name}.") for one in read if one.startswith(f"{name}.")}
        if inner and isinstance(value, Mapping):
            yield from find_unread_names(value, inner, f"{prefix}{name}.")
        elif inner:
            allowed = f"a section with {', '.join(sorted(inner))}"
            yield format_wrong_value(prefix + name, value, allowed)
        else:
            elsewhere = [prefix + path for path in _find_names_ending_in(values, name)]
            yield format_unknown_name(prefix + name, first_parts, elsewhere)


def _find_names_ending_in(values: Mapping[str, Any], last: str) -> Iterator[str]:
    """Yield the dotted names within sections that end in a name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from [f"{name}.{last}"] if last in value else []
            yield from (f"{name}.{inner}" for inner in _find_names_ending_in(value, last))


def find_invalid_values(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield one sentence for each parameter that the model of its section refuses."""
    for section, value in _list_sections(parameters):
        try:
            SECTIONS[section].model_validate(value)
        except ValidationError as error:
            yield from format_validation_errors(section, SECTIONS[section], error)


def find_unknown_features(sections: Mapping[str, Parameters], features: list[str]) -> Iterator[str]:
    """Yield one sentence for each feature that does not exist, and each name that is in use."""
    for section, parameters in sections.items():
        for name, feature in parameters.named_features.items():
            if feature not in features:
                allowed = format_choice("feature", feature, features)
                yield format_wrong_value(f"{section}.{name}", feature, allowed)
        for name, column in parameters.new_columns.items():
            if column in features:
                yield format_reserved_name(f"{section}.{name}")
