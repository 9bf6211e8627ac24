import numpy as np
import pytest

from sparkify.ml.metrics import log_odds, probability_from_log_odds


def test_odds_of_nine_to_one_are_nine_tenths() -> None:
    assert log_odds(np.array([0.1, 0.5, 0.9])).tolist() == pytest.approx([-np.log(9), 0, np.log(9)])
    assert probability_from_log_odds(
        np.array([-np.log(9), 0, np.log(9)])
    ).tolist() == pytest.approx([0.1, 0.5, 0.9])


def test_no_probability_is_certain() -> None:
    assert probability_from_log_odds(log_odds(np.array([0.0, 1.0]))).tolist() == pytest.approx(
        [1e-6, 1 - 1e-6]
    )
