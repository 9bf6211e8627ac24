"""The house itself: short modules, short functions; what imports what is for import-linter."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("benchmarks/**/*.py")])
MOST_LINES_OF_A_MODULE = 250
MOST_LINES_OF_A_FUNCTION = 70


def opened_in_the_locale(source: str) -> list[str]:
    """Return the calls that open a text file without saying its encoding."""
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
def test_text_files_have_the_same_encoding_in_every_locale(module: Path) -> None:
    assert opened_in_the_locale(module.read_text(encoding="utf-8")) == []


def test_files_are_opened_in_the_locale_where_no_encoding_is_named() -> None:
    source = "open('a')\nopen('a', 'rb')\nPath('a').read_text()\nopen('a', encoding='utf-8')\n"
    assert opened_in_the_locale(source) == ["open('a')", "Path('a').read_text()"]


def functions(source: str) -> list[tuple[str, int]]:
    """Return each function of a module with the number of lines that it takes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_their_functions_are_short(module: Path) -> None:
    source = module.read_text()
    assert len(source.splitlines()) <= MOST_LINES_OF_A_MODULE
    assert [one for one in functions(source) if one[1] > MOST_LINES_OF_A_FUNCTION] == []


def test_the_lines_of_a_function_are_counted_with_those_within() -> None:
    source = "def one():\n    def two():\n        pass\n\n    return two\n"
    assert functions(source) == [("one", 5), ("two", 2)]
