"""Code style that ruff does not check: short functions, explicit text encodings."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("benchmarks/**/*.py")])
MAX_FUNCTION_LINES = 70


def calls_without_encoding(source: str) -> list[str]:
    """Return the calls that open a text file without an encoding."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        ast.unparse(call)
        for call in calls
        if re.search(r"(^|\.)(open|read_text|write_text|TextIOWrapper)$", ast.unparse(call.func))
        if not ast.unparse(call.func).startswith("os.")
        if "encoding" not in {keyword.arg for keyword in call.keywords}
        if not re.search(r"'[rwa]\+?b'", ast.unparse(call))
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_files_are_opened_with_an_encoding(module: Path) -> None:
    assert calls_without_encoding(module.read_text(encoding="utf-8")) == []


def test_calls_without_an_encoding_are_found() -> None:
    source = "open('a')\nopen('a', 'rb')\nPath('a').read_text()\nopen('a', encoding='utf-8')\n"
    assert calls_without_encoding(source) == ["open('a')", "Path('a').read_text()"]


def function_lines(source: str) -> list[tuple[str, int]]:
    """Return each function of a module with the number of lines that it has."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short(module: Path) -> None:
    lines = function_lines(module.read_text())
    assert [one for one in lines if one[1] > MAX_FUNCTION_LINES] == []


def test_the_lines_of_a_function_include_inner_functions() -> None:
    source = "def one():\n    def two():\n        pass\n\n    return two\n"
    assert function_lines(source) == [("one", 5), ("two", 2)]
