"""notebooks/Sparkify.ipynb is stored without outputs, and runs from the first cell to the last."""

import ast
import re
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from sparkify.pipelines.reporting.number_format import format_metric

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "Sparkify.ipynb"
JVM = "WARNING: Using incubator modules"  # Java prints it at every start of Spark


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def stored() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the notebook, run in a project whose environment `finished` has the data."""
    project = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, project)
    shutil.copytree(ROOT / "src", project / "src")
    shutil.copytree(ROOT / "conf", project / "conf")
    shutil.copytree(finished.conf / "mini", project / "conf" / "finished")
    (project / "notebooks").mkdir()
    notebook = nbformat.read(shutil.copy(NOTEBOOK, project / "notebooks"), as_version=4)
    resources = {"metadata": {"path": str(project / "notebooks")}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEDRO_ENV", "finished")
        return NotebookClient(notebook, timeout=120, resources=resources).execute()


def list_outputs(notebook: Any, kind: str) -> list[str]:
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output["data"][kind] for output in outputs if kind in output.get("data", {})]


def test_the_notebook_is_stored_without_outputs(stored: Any) -> None:
    for cell in code_cells(stored):
        assert (cell.outputs, cell.execution_count, dict(cell.metadata)) == ([], None, {})
    assert set(stored.metadata) == {"kernelspec", "language_info"}


LOGIC = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.If, ast.While, ast.Try)


def test_cells_are_short_and_have_neither_logic_nor_paths(stored: Any) -> None:
    for cell in code_cells(stored):
        lines = cell.source.splitlines()
        assert len(lines) <= 16
        tree = ast.parse("\n".join(line for line in lines if not line.startswith("%")))
        assert not [node for node in ast.walk(tree) if isinstance(node, LOGIC)]
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        is_path = re.compile(r"/|\.{1,2}/|data/|~").match
        assert not [text for text in texts if is_path(str(text))]


def test_links_lead_to_files(stored: Any) -> None:
    texts = [cell.source for cell in stored.cells if cell.cell_type == "markdown"]
    links = re.findall(r"\]\(([^)]+)\)", "".join(texts))
    assert links
    assert [link for link in links if not (NOTEBOOK.parent / link).exists()] == []


def test_tables_are_those_of_the_environment(executed: Any, finished: Any) -> None:
    tables = "".join(list_outputs(executed, "text/html"))
    holdout = finished.catalog().load("metrics")["holdout"]
    assert f"{holdout['auc']['value']:.3f}" in tables
    assert format_metric(holdout["average_precision"]) in tables
    for reason in finished.catalog().load("contacts")["reason_for_1"].head(3):
        assert reason in tables
    assert "seed project, published" in tables


def test_figures_are_shown(executed: Any, finished: Any) -> None:
    saved = finished.catalog()
    pictures = [b64decode(picture) for picture in list_outputs(executed, "image/png")]
    for name in ("calibration_figure", "lift_figure", "feature_weights_figure", "profit_figure"):
        assert saved.load(name) in pictures
    assert len(pictures) == 9


def test_there_are_no_warnings(executed: Any) -> None:
    outputs = [output for cell in code_cells(executed) for output in cell.outputs]
    texts = [output["text"] for output in outputs if output.get("name") == "stderr"]
    lines = [line for text in texts for line in text.splitlines()]
    assert [line for line in lines if not line.startswith(JVM)] == []
