import pytest

from sparkify.inspection.patterns import NAMES, PATTERNS, compile_pattern, matches


def test_whole_texts_match_without_regard_to_case() -> None:
    assert matches("Free-Trial", "free_plan")
    assert matches("No", "free_plan")
    assert not matches("Now", "free_plan")


def test_alternatives_are_one_pattern() -> None:
    assert compile_pattern(["a|b", "c.*"]).pattern == "a|b|c.*"


@pytest.mark.parametrize("name", [*PATTERNS])
def test_no_pattern_matches_every_text(name: str) -> None:
    assert not matches("", name)
    assert not matches("zzz", name)


def test_each_field_and_column_has_patterns() -> None:
    assert all(len(patterns) >= 2 for patterns in NAMES["fields"].values())
    assert all(len(patterns) >= 2 for patterns in NAMES["columns"].values())
