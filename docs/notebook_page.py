"""Write docs/notebook.md, the notebook with its outputs on the mini log: `make notebook-md`."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[1]
NOTEBOOK = Path("notebooks", "Sparkify.ipynb")
PAGE = ROOT / "docs" / "notebook.md"
PICTURES = ROOT / "docs" / "notebook"
CELL_SECONDS = 300  # longest time of one cell


def run_notebook(project: Path, environment: str) -> Any:
    """Return a project's notebook with the outputs of a run in an environment."""
    notebook = nbformat.read(project / NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(project / NOTEBOOK.parent)}}
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources=resources)
    return client.execute(env={**os.environ, "KEDRO_ENV": environment})


def render_page(notebook: Any) -> tuple[str, dict[str, bytes]]:
    """Return a notebook as Markdown, and its pictures by path relative to the page."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = _strip_style(output.data["text/html"])
    names = {"output_files_dir": PICTURES.name, "unique_key": "figure"}
    page, resources = MarkdownExporter().from_notebook_node(notebook, names)
    return "\n".join(_describe_pictures(page)) + "\n", resources["outputs"]


def _strip_style(table: str) -> str:
    """Return the table alone: GitHub shows no styles."""
    table = re.sub(r"<style.*?</style>|</?div>", "", table, flags=re.DOTALL)
    return re.sub(r' (border|class|style)="[^"]*"', "", table).strip()


def _describe_pictures(page: str) -> Iterator[str]:
    """Yield the page's lines, with the section's heading as the text of each picture."""
    heading = ""
    for line in page.strip().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        yield line.replace("![png]", f"![{heading}]").rstrip()


if __name__ == "__main__":
    text, pictures = render_page(run_notebook(ROOT, "mini"))
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    PAGE.write_text(text, encoding="utf-8")
    for name, content in pictures.items():
        (PAGE.parent / name).write_bytes(content)
