import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.validation import TypeExtractor

from sparkify.errors.parameter_errors import ParameterError
from sparkify.hooks.parameter_check import (
    SECTIONS,
    ParameterCheckHooks,
    find_invalid_values,
    find_referenced_names,
    find_unknown_features,
    find_unread_names,
)
from sparkify.schemas.parameters import Parameters
from tests.conftest import ODD_NAMES

ROOT = Path(__file__).parents[2]
READ = {"modelling", "retrospective.inputs", "retrospective.seed_project", "cutoff"}


def test_unknown_names_are_refused_with_a_suggestion() -> None:
    values = {"cutof": "2018-11-15", "modeling": {"folds": 10}, "modelling": {"anything": 1}}
    assert list(find_unread_names(values, READ)) == [
        "cutof is not a parameter; did you mean cutoff?",
        "modeling is not a parameter; did you mean modelling?",
    ]


def test_a_name_without_its_section_gets_the_full_name_as_suggestion() -> None:
    values = {"folds": 10, "modelling": {"folds": 5}}
    assert list(find_unread_names(values, READ)) == [
        "folds is not a parameter; did you mean modelling.folds?"
    ]


def test_a_name_without_a_similar_one_gets_all_names_as_suggestion() -> None:
    assert list(find_unread_names({"xyz": 1}, READ)) == [
        "xyz is not a parameter; allowed: cutoff, modelling, retrospective."
    ]


def test_unknown_parts_of_a_section_are_refused() -> None:
    values = {"retrospective": {"inputs": {"a": 1}, "seed_projct": {}}}
    assert list(find_unread_names(values, READ)) == [
        "retrospective.seed_projct is not a parameter; did you mean retrospective.seed_project?"
    ]
    assert list(find_unread_names({"retrospective": 5}, READ)) == [
        "retrospective is 5; allowed: a section with inputs, seed_project."
    ]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Return configuration that refers to names, in two environments."""
    for env, text in {
        "base": "scoring: {cutoff: '${runtime_params:cutoff,null}'}  # ${runtime_params:cutof}\n",
        "mini": "folder: ${globals:data.root}/x\nother: ${ data_root }\n",
        "full": "folder: ${globals:elsewhere}\n",
    }.items():
        (tmp_path / "conf" / env / "deep").mkdir(parents=True)
        (tmp_path / "conf" / env / "deep" / "parameters.yml").write_text(text)
        (tmp_path / "conf" / env / "notes.md").write_text("${globals:nonesuch}")
    return tmp_path / "conf"


NAMED = {"runtime_params": {"cutoff"}, "globals": {"data.root"}, "": {"data_root"}}


def loader(source: Path) -> OmegaConfigLoader:
    return OmegaConfigLoader(str(source), base_env="base", default_run_env="mini")


def test_names_are_read_from_the_files_of_base_and_the_environment(conf: Path) -> None:
    assert find_referenced_names(loader(conf)) == NAMED


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_folder_may_have_any_name(conf: Path, name: str) -> None:
    assert find_referenced_names(loader(conf.rename(conf.parent / name))) == NAMED


@pytest.mark.parametrize("kind", ["gztar", "zip"])
def test_names_are_read_from_a_packaged_archive(conf: Path, kind: str) -> None:
    archive = shutil.make_archive(str(conf.parent / "packaged"), kind, conf.parent, "conf")
    assert tarfile.is_tarfile(archive) is (kind == "gztar")
    assert find_referenced_names(loader(Path(archive))) == NAMED


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "inputs.rates.sessions_per_day.per",
            "observed_dayz",
            'is "observed_dayz"; allowed: a feature, such as observed_days.',
        ),
        (
            "inputs.segments.rates.thumbs_up_per_song.count",
            "thumbs",
            'is "thumbs"; allowed: a feature, such as thumbs_up.',
        ),
        (
            "inputs.plain.is_payd",
            {"group": "x"},
            'is "is_payd"; allowed: a feature, such as is_paid.',
        ),
        (
            "evaluation.baselines.most_songs",
            "next_song_29d",
            'is "next_song_29d"; allowed: a feature, such as next_song_28d.',
        ),
        (
            "reference.rates.active_days_per_day.per",
            "day",
            'is "day"; allowed: a feature: next_song, ',
        ),
        (
            "reference.comparable",
            ["is_payd"],
            '[0] is "is_payd"; allowed: a feature, such as is_paid.',
        ),
        (
            "validation.leakage.exposure",
            ["sesions"],
            '[0] is "sesions"; allowed: a feature, such as sessions.',
        ),
        ("validation.leakage.per", "xyz", 'is "xyz"; allowed: a feature: next_song, '),
        (
            "inputs.rates.thumbs_up",
            {"count": "thumbs_up", "per": "next_song", "prior": 1, "group": "x"},
            "is already the name of a column; allowed: another name.",
        ),
    ],
)
def test_features_that_do_not_exist_are_refused(
    parameters: dict[str, Any], name: str, value: Any, sentence: str
) -> None:
    section, *path, last = name.split(".")
    raw = parameters[section].model_dump()
    place = raw
    for key in path:
        place = place[key]
    place[last] = value
    changed = {section: type(parameters[section]).model_validate(raw)}
    (message,) = find_unknown_features(changed, parameters["feature_engineering"].feature_columns)
    assert message.removeprefix(name).strip().startswith(sentence)


def test_every_feature_that_conf_names_exists(parameters: dict[str, Any]) -> None:
    sections = {name: one for name, one in parameters.items() if isinstance(one, Parameters)}
    sections["retrospective.inputs"] = parameters["retrospective"]["inputs"]
    features = parameters["feature_engineering"].feature_columns
    assert list(find_unknown_features(sections, features)) == []
    listed = [one for section in sections.values() for one in section.named_features]
    assert {"plain.is_paid", "leakage.per", "comparable[0]", "baselines.most_songs"} <= set(listed)


class Part:
    """A part of a section, as a node's argument."""


def refuse(parameters: dict[str, Any], *reads: str) -> list[str]:
    """Return what is wrong with the parameters for a run with one node that reads these."""
    hooks = ParameterCheckHooks()
    hooks._parameters = parameters
    names = [f"params:{name}" for name in reads]
    node = Node(lambda *_: None, names, None, name="read")
    catalog = DataCatalog({name: MemoryDataset(Part()) for name in names})
    try:
        hooks.before_pipeline_run(Pipeline([node]), catalog)
    except ParameterError as error:
        return str(error).split("\n")
    return []


@pytest.mark.parametrize("read", ["validation", "validation.leakage", "validation.leakage.per"])
def test_a_section_is_checked_as_a_whole_if_a_node_reads_a_part_of_it(
    raw_parameters: dict[str, Any], read: str
) -> None:
    raw_parameters["validation"]["leakage"]["per"] = "xyz"
    (sentence,) = refuse(raw_parameters, read)
    assert sentence.startswith('validation.leakage.per is "xyz"; allowed: a feature: next_song, ')
    assert refuse(raw_parameters, "simulation", "scoring.cutoff") == []


def test_a_section_is_validated_as_a_whole_if_no_node_reads_all_of_it(
    raw_parameters: dict[str, Any],
) -> None:
    raw_parameters["modelling"] |= {"folds": 1, "fold": 2}
    assert list(find_invalid_values(raw_parameters)) == [
        "modelling.folds is 1; allowed: an integer of at least 2.",
        "modelling.fold is not a parameter; did you mean modelling.folds?",
    ]


def test_types_that_nodes_declare_are_those_of_the_sections() -> None:
    declared = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    for name, model in declared.items():
        section = next(one for one in SECTIONS if f"{name}.".startswith(f"{one}."))
        expected: Any = SECTIONS[section]
        for field in name.removeprefix(section).split(".")[1:]:
            expected = expected.model_fields[field].annotation
        assert model == expected, name


@pytest.mark.parametrize(
    ("params", "sentences"),
    [
        ({"cutof": "2018-11-15"}, ["cutof is not a parameter; did you mean cutoff?"]),
        (
            {"simulation": {"seed": -1}, "modelling": {"folds": 1}},
            [
                "modelling.folds is 1; allowed: an integer of at least 2.",
                "simulation.seed is -1; allowed: an integer of at least 0 and at most "
                "4,294,967,295.",
            ],
        ),
        (
            {"simulation": {"users": 3}, "feature_engineering": {"windows_days": [7]}},
            [],  # nothing of the run reads them, and the values are allowed
        ),
    ],
)
def test_a_run_is_refused_before_anything_is_read(
    project: Any, params: dict[str, Any], sentences: list[str]
) -> None:
    error = ParameterError if sentences else Exception
    project.log.parent.mkdir(parents=True)
    project.log.write_text("{}\n")  # which no simulation overwrites
    with pytest.raises(error) as raised:
        project.run("simulation", params=params)
    if sentences:
        assert str(raised.value).split("\n") == sentences
    else:
        assert "there is an event log at" in str(raised.value)


def test_contradicting_parameters_are_refused_before_spark_starts(project: Any) -> None:
    with pytest.raises(ParameterError) as raised:
        project.run("evaluation", params={"feature_engineering": {"windows_days": [7]}})
    assert str(raised.value) == (
        'evaluation.baselines.most_songs is "next_song_28d"; allowed: a feature, such as '
        "next_song_7d."
    )


def test_a_misspelt_name_in_globals_is_refused(project: Any) -> None:
    path = project.conf / "mini" / "globals.yml"
    path.write_text(path.read_text() + yaml.safe_dump({"data_roots": "x"}))
    with pytest.raises(ParameterError) as raised:
        project.run("simulation")
    assert str(raised.value) == (
        "globals.data_roots is not a parameter; did you mean globals.data_root?"
    )


def test_a_misspelt_section_of_an_environment_is_refused(project: Any) -> None:
    (project.conf / "mini" / "parameters.yml").write_text("modeling: {folds: 3}\n")
    with pytest.raises(ParameterError) as raised:
        project.run("simulation")
    assert str(raised.value) == "modeling is not a parameter; did you mean modelling?"


@pytest.mark.parametrize("env", ["base", "mini", "full", "cluster"])
def test_every_environment_of_the_project_is_accepted(env: str) -> None:
    with KedroSession.create(project_path=ROOT, env=env, save_on_close=False) as session:
        assert session.load_context().params["modelling"].folds == 5
