"""notebooks/Sparkify.ipynb is stored without outputs and runs; docs/notebook.md has its outputs."""

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from docs.notebook_page import NOTEBOOK, PAGE, PICTURES, render_page, run_notebook
from sparkify.pipelines.reporting.number_format import format_metric

ROOT = Path(__file__).parents[1]
JVM = "WARNING: Using incubator modules"  # Java prints it at every start of Spark
FIGURES = 14
MAX_BYTES = 1_000_000  # of the page with its pictures


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def stored() -> Any:
    return nbformat.read(ROOT / NOTEBOOK, as_version=4)


def run_on(data: Any, folder: Path) -> Any:
    """Return the notebook, run in a project whose environment `data` has the data."""
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src")
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copytree(data.conf / "mini", folder / "conf" / "finished")
    (folder / NOTEBOOK).parent.mkdir()
    shutil.copy(ROOT / NOTEBOOK, folder / NOTEBOOK)
    return run_notebook(folder, "finished")


@pytest.fixture(scope="module")
def executed(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_on(finished, tmp_path_factory.mktemp("project"))


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
        assert len(lines) <= 24
        tree = ast.parse("\n".join(line for line in lines if not line.startswith("%")))
        assert not [node for node in ast.walk(tree) if isinstance(node, LOGIC)]
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        is_path = re.compile(r"/|\.{1,2}/|data/|~").match
        assert not [text for text in texts if is_path(str(text))]


def test_links_lead_to_files(stored: Any) -> None:
    texts = [cell.source for cell in stored.cells if cell.cell_type == "markdown"]
    links = re.findall(r"\]\(([^)]+)\)", "".join(texts))
    assert links
    assert [link for link in links if not ((ROOT / NOTEBOOK).parent / link).exists()] == []


def test_tables_are_those_of_the_environment(executed: Any, finished: Any) -> None:
    tables = "".join(list_outputs(executed, "text/html"))
    holdout = finished.catalog().load("metrics")["holdout"]
    assert format_metric(holdout["auc"]) in tables
    assert format_metric(holdout["average_precision"]) in tables
    for reason in finished.catalog().load("contacts")["reason_for_1"].head(3):
        assert reason in tables
    assert "seed project, published" in tables


def test_there_are_no_warnings(executed: Any) -> None:
    outputs = [output for cell in code_cells(executed) for output in cell.outputs]
    texts = [output["text"] for output in outputs if output.get("name") == "stderr"]
    lines = [line for text in texts for line in text.splitlines()]
    assert [line for line in lines if not line.startswith(JVM)] == []


def strip_outputs(page: str) -> str:
    """Return a page without tables and printed text, which are indented by four spaces."""
    return re.sub(r"<table>.*?</table>|^ {4}.*?$", "", page, flags=re.DOTALL | re.MULTILINE)


def test_the_page_has_the_cells_and_figures_of_the_notebook(stored: Any, executed: Any) -> None:
    page = PAGE.read_text(encoding="utf-8")
    rendered, pictures = render_page(executed)
    assert strip_outputs(page).split() == strip_outputs(rendered).split()
    assert [cell.source for cell in stored.cells if cell.source not in page] == []
    assert len(pictures) == FIGURES
    assert {f"{PICTURES.name}/{picture.name}" for picture in PICTURES.iterdir()} == set(pictures)
    files = [PAGE, *PICTURES.iterdir()]
    assert sum(file.stat().st_size for file in files) < MAX_BYTES


@pytest.mark.notebook_md
def test_the_page_has_the_numbers_of_the_notebook_on_mini(project: Any, tmp_path: Path) -> None:
    project.run("simulation")
    project.run("__default__")
    (tmp_path / "copy").mkdir()
    rendered, _ = render_page(run_on(project, tmp_path / "copy"))
    assert PAGE.read_text(encoding="utf-8") == rendered
