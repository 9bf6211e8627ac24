from typing import Any

import pytest

from sparkify.pipelines.reporting import number_format as text


def plain(string: str) -> str:
    """Replace typographic spaces and minus signs."""
    return string.replace(text.SPACE, " ").replace(text.MINUS, "-").replace(text.WORD_JOINER, "")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.90613, "0.91"),
        (9.98, "10"),
        (0.0852, "0.085"),
        (5.13, "5.1"),
        (177.4, "177"),
        (-0.0092, "-0.0092"),
    ],
)
def test_a_number_has_two_digits_and_all_digits_before_the_point(
    value: float, written: str
) -> None:
    assert plain(text.format_number(value)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.9996, "99.96 %"), (0.996, "99.6 %"), (1.0, "100 %"), (0.1, "10 %"), (0.0004, "0.040 %")],
)
def test_only_1_is_written_as_100_percent(value: float, written: str) -> None:
    assert plain(text.format_share(value)) == written


def test_a_number_below_the_last_decimal_is_written_as_below_it() -> None:
    assert text.format_number(3e-9) == "below 0.0001"
    assert text.format_number(0.0) == "0"


@pytest.mark.parametrize("write", [text.format_number, text.format_share, text.format_dollars])
@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_value_is_a_dash(write: Any, missing: float | None) -> None:
    assert write(missing) == text.UNKNOWN


@pytest.mark.parametrize(
    ("values", "unit", "written"),
    [
        ((0.90613, 0.71994, 0.99949), "number", "0.91 (0.72 to 1.00)"),
        ((0.78042, 0.76121, 0.79813), "number", "0.780 (0.761 to 0.798)"),
        ((6.1366, 1.5405, 66.8029), "number", "6 (2 to 67)"),
        ((0.17231, 0.15112, 0.19345), "share", "17.2 % (15.1 to 19.3 %)"),
        ((3.914, 3.521, 4.288), "times", "3.91 times (3.52 to 4.29)"),
        ((12_345.0, 9_876.0, 15_432.0), "dollars", "$12,345 ($9,876 to $15,432)"),
        ((-3.4, -21.0, 14.2), "dollars", "-$3.40 (-$21 to $14.20)"),
        ((0.5, 0.5, 0.5), "number", "0.50 (0.50 to 0.50)"),
        ((1.0, 1.0 - 1e-16, 1.0), "times", "1.00 times (1.00 to 1.00)"),
        ((0.0852, None, None), "number", "0.085 (too few to say)"),
        ((0.0, None, None), "share", "0 % (too few to say)"),
        ((-6.5, None, None), "dollars", "-$6.50 (too few to say)"),
        ((None, 0.1, 0.2), "share", text.UNKNOWN),
    ],
)
def test_a_metric_has_the_digits_that_its_interval_supports(
    values: tuple[float | None, ...], unit: str, written: str
) -> None:
    value, low, high = values
    metric = {"value": value, "ci95": None if low is None else [low, high]}
    assert plain(text.format_metric(metric, unit)) == written


def test_a_metric_without_interval_differs_from_one_with_too_few_churned() -> None:
    assert text.format_metric({"value": 0.5}) == "0.50"
    assert plain(text.format_metric({"value": 0.5, "ci95": None})) == "0.50 (too few to say)"
    assert text.format_metric({"value": None, "ci95": None}) == text.UNKNOWN
    assert text.format_metric(None) == text.UNKNOWN


def test_compared_metrics_have_the_same_decimals() -> None:
    wide = {"value": 0.686, "ci95": [0.52, 0.81]}
    narrow = {"value": 0.6879, "ci95": [0.6712, 0.7034]}
    assert plain(text.format_metric(wide)) == "0.69 (0.52 to 0.81)"  # above 0.688, which is more
    written = [plain(one) for one in text.format_metrics([wide, narrow, {"value": 0.5}, None])]
    assert written == [
        "0.686 (0.520 to 0.810)",
        "0.688 (0.671 to 0.703)",
        "0.500",
        text.UNKNOWN,
    ]
    withheld = text.format_metrics([{"value": 0.25, "ci95": None}], "share")
    assert [plain(one) for one in withheld] == ["25 % (too few to say)"]


def test_a_metric_of_a_table_may_lack_its_interval() -> None:
    row = {"auc": 0.7, "auc_low": 0.6, "auc_high": 0.8}
    assert text.metric_from_row(row, "auc") == {"value": 0.7, "ci95": [0.6, 0.8]}
    withheld = row | {"auc_low": float("nan"), "auc_high": None}
    assert text.metric_from_row(withheld, "auc") == {"value": 0.7, "ci95": None}
    assert text.metric_from_row(dict.fromkeys(row), "auc") is None


def test_values_with_standard_errors_have_the_same_decimals() -> None:
    written = text.format_with_errors([0.15958, 0.16, 0.2], [0.00557, 0.12, 0.0])
    assert [plain(one) for one in written] == [
        "0.1596 ± 0.0056",
        "0.1600 ± 0.1200",
        "0.2000 (too few to say)",
    ]


def test_dollars_have_the_minus_first() -> None:
    assert plain(text.format_dollars(-14_368)) == "-$14,368"
    assert plain(text.format_dollars(0.4)) == "$0.40"


@pytest.mark.parametrize(
    ("days", "written"),
    [(0.01, "within the hour"), (0.04, "1 hour ago"), (0.5, "12 hours ago"), (1.2, "1 day ago")],
)
def test_the_last_visit_is_given_in_days_or_hours(days: float, written: str) -> None:
    assert text.format_days_ago(days) == written


def test_dates_are_written_out() -> None:
    assert text.format_day("2018-12-01") == "1 December 2018"
    assert text.format_day("2018-11-30T23:59:49Z") == "30 November 2018"


def test_a_noun_is_in_the_plural_unless_the_number_is_1() -> None:
    assert [text.pluralise(n, "alarm") for n in (0, 1, 1_200)] == [
        "0 alarms",
        "1 alarm",
        "1,200 alarms",
    ]


def test_a_parameter_has_up_to_three_significant_digits() -> None:
    assert [text.format_setting(value) for value in ("f1", 0.09123, 90.0)] == ["f1", "0.0912", "90"]
