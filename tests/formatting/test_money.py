import numpy as np
import pytest

from sparkify.formatting.money import format_dollars


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "$0"),
        (-1e-13, "$0"),
        (0.004, "$0.0040"),
        (0.4, "$0.40"),
        (-0.3, "-$0.30"),
        (1.0, "$1"),
        (2.875, "$2.88"),
        (68.0, "$68"),
        (68.6, "$68.60"),
        (69.4, "$69.40"),
        (99.994, "$99.99"),
        (99.996, "$100"),
        (512.25, "$512"),
        (-14_368.4, "-$14,368"),
        (1_234_567.0, "$1,234,567"),
    ],
)
def test_small_amounts_keep_their_cents_and_large_ones_do_not(value: float, written: str) -> None:
    assert format_dollars(value) == written


def test_a_larger_amount_is_never_written_as_a_smaller_one() -> None:
    random = np.random.default_rng(3)
    amounts = np.sort(random.choice([-1, 1], 20_000) * 10 ** random.uniform(-5, 6, 20_000))
    written = [
        float(format_dollars(amount).replace("$", "").replace(",", "")) for amount in amounts
    ]
    assert written == sorted(written)
