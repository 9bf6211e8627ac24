"""Parameters are checked before anything runs."""

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
from kedro.framework.project import pipelines, settings
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.validation import TypeExtractor
from pydantic import BaseModel, ValidationError

from sparkify.errors.parameter_errors import (
    ParameterError,
    format_choice,
    format_taken_name,
    format_unknown_name,
    format_wrong_value,
    validation_sentences,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas.parameters import Parameters

PARAMS = "params:"
# ${globals:baselines}, ${runtime_params:cutoff,null} or ${data_root}: the resolver and the name.
REFERENCE = re.compile(r"\$\{(?:(runtime_params|globals):)?\s*([\w.]+)")
COMMENT = re.compile(r"(^|\s)#.*")
# The catalog's schemas read these from globals.yml, so that a table has the columns they say.
SHARED_WITH_SCHEMAS = {
    "modelling": ("baselines",),
}


class ParameterHooks:
    """Refuses parameters that are misspelt, of a wrong value, or at odds with each other."""

    def __init__(self) -> None:
        self._globals: Mapping[str, Any] = {}

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check each parameter on its own, before anything reads one.

        Raises:
            ParameterError: with one sentence for each that is wrong.
        """
        loader = context.config_loader
        parameters, self._globals = loader["parameters"], loader["globals"]
        referenced = referenced_names(loader)
        nodes_read = {
            name.removeprefix(PARAMS)
            for pipeline in pipelines.values()
            for name in pipeline.inputs()
            if name.startswith(PARAMS)
        }
        _raise_all(
            [
                *unread_names(
                    parameters, nodes_read | referenced["runtime_params"] | referenced[""]
                ),
                *unread_names(self._globals, referenced["globals"] | referenced[""], "globals."),
                *invalid_values(parameters),
            ]
        )

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check the parameters that the run reads against each other.

        Raises:
            ParameterError: with one sentence for each that is wrong.
        """
        names = sorted(name for name in pipeline.inputs() if name.startswith(PARAMS))
        missing = [name.removeprefix(PARAMS) for name in names if name not in catalog]
        _raise_all([f"{name} is missing in conf/base." for name in missing])
        sections = {name.removeprefix(PARAMS): catalog.load(name) for name in names}
        # Kedro leaves a section that the run does not read as it is in conf/.
        engineering = FeatureEngineeringParameters.model_validate(
            catalog.load(f"{PARAMS}feature_engineering")
        )
        _raise_all([*differing_from_globals(sections, self._globals)])
        _raise_all([*unknown_features(sections, engineering)])


def _raise_all(sentences: list[str]) -> None:
    if sentences:
        raise ParameterError("\n".join(sentences))


def referenced_names(loader: AbstractConfigLoader) -> dict[str, set[str]]:
    """Return the names that configuration files refer to, by resolver; "" for none."""
    names: dict[str, set[str]] = {"globals": set(), "runtime_params": set(), "": set()}
    defaults = settings.CONFIG_LOADER_ARGS
    for env in {defaults["base_env"], loader.env or defaults["default_run_env"]}:
        pattern = _files_pattern(str(loader.conf_source), env)
        for file in fsspec.open_files(pattern, "rt", encoding="utf-8"):
            if Path(file.path).suffix in (".yml", ".yaml", ".json"):
                with file as opened:
                    text = "\n".join(COMMENT.sub("", line) for line in opened)
                for resolver, name in REFERENCE.findall(text):
                    names[resolver].add(name)
    return names


def _files_pattern(conf_source: str, env: str) -> str:
    """Return the pattern of an environment's files, in a folder or in a packaged archive."""
    if Path(conf_source).is_file():
        kind = "zip" if zipfile.is_zipfile(conf_source) else "tar"
        return f"{kind}://*/{env}/**::{conf_source}"
    return f"{escape(conf_source)}/{env}/**"


def unread_names(values: Mapping[str, Any], read: Iterable[str], prefix: str = "") -> Iterator[str]:
    """Give one sentence for each name, however deep, that nothing reads.

    Args:
        values: the parameters by name, some of them sections.
        read: the dotted names that are read, of single values or of whole sections.
        prefix: what comes before the names in a sentence.
    """
    first = sorted({name.partition(".")[0] for name in read})
    for name, value in values.items():
        if name in read:
            continue
        inner = {one.removeprefix(f"{name}.") for one in read if one.startswith(f"{name}.")}
        if inner and isinstance(value, Mapping):
            yield from unread_names(value, inner, f"{prefix}{name}.")
        elif inner:
            yield format_wrong_value(
                prefix + name, value, f"a section with {', '.join(sorted(inner))}"
            )
        else:
            elsewhere = [prefix + path for path in _names_ending_in(values, name)]
            yield format_unknown_name(prefix + name, first, elsewhere)


def _names_ending_in(values: Mapping[str, Any], last: str) -> Iterator[str]:
    """Give the dotted names within sections whose last part is as asked."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from [f"{name}.{last}"] if last in value else []
            yield from (f"{name}.{inner}" for inner in _names_ending_in(value, last))


def invalid_values(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Give one sentence for each parameter that the model of its section refuses."""
    models = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    for section, model in sorted(models.items()):
        value: Any = parameters
        for name in section.split("."):
            value = value.get(name, ...) if isinstance(value, Mapping) else ...
        if value is ... or not issubclass(model, BaseModel):
            continue
        try:
            model.model_validate(value)
        except ValidationError as error:
            yield from validation_sentences(section, model, error)


def differing_from_globals(sections: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    """Give one sentence for each parameter that the schemas of tables read otherwise."""
    for section, names in SHARED_WITH_SCHEMAS.items():
        values = sections[section].model_dump(mode="json") if section in sections else {}
        for name in names:
            if name in values and values[name] != shared[name]:
                yield (
                    f"{section}.{name} differs from globals.{name}, which the tables' schemas "
                    f"read: set {name} in conf/<env>/globals.yml alone."
                )


def unknown_features(
    sections: Mapping[str, Any], engineering: FeatureEngineeringParameters
) -> Iterator[str]:
    """Give one sentence for each feature that does not exist, and each name it has already."""
    features = engineering.feature_columns
    for section, parameters in sections.items():
        if not isinstance(parameters, Parameters):
            continue
        for name, feature in parameters.named_features.items():
            if feature not in features:
                allowed = format_choice("feature", feature, features)
                yield format_wrong_value(f"{section}.{name}", feature, allowed)
        for name, column in parameters.new_columns.items():
            if column in features:
                yield format_taken_name(f"{section}.{name}")
