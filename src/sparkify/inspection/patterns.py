"""Names at other services, from patterns.yml."""

import re
from importlib.resources import files
from typing import Any

import yaml

_text = files(__package__).joinpath("patterns.yml").read_text(encoding="utf-8")
NAMES: dict[str, Any] = yaml.safe_load(_text)


def compile_pattern(alternatives: list[str]) -> re.Pattern[str]:
    """Compile alternatives to one pattern."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


def matches(text: str, name: str) -> bool:
    """Return whether a whole text matches a pattern of patterns.yml."""
    return PATTERNS[name].fullmatch(text) is not None


PATTERNS = {name: compile_pattern(each) for name, each in NAMES.items() if isinstance(each, list)}
