import numpy as np
import pytest

from sparkify.ml.contributions import LinearContributions, TreeContributions

INPUTS = np.array([[1.0, 0.0], [3.0, 1.0]])


def test_a_linear_input_adds_its_standardised_value_times_its_coefficient() -> None:
    model = LinearContributions(0.5, [2.0, -1.0], [1.0, 0.5], [2.0, 0.5], None)
    # (3 - 1) / 2 * 2 and (1 - 0.5) / 0.5 * -1, and the intercept.
    assert model.compute(INPUTS).tolist() == [[0.0, 1.0, 0.5], [2.0, -1.0, 0.5]]


def test_an_input_includes_its_product_with_the_moderator() -> None:
    # The moderator is the second input: the products are 0 and 0, then 3 and 1.
    model = LinearContributions(
        0.5, [2.0, -1.0, 4.0, 1.0], [1.0, 0.5, 1.0, 0.0], [2.0, 0.5, 2.0, 1.0], 1
    )
    contributions = model.compute(INPUTS)
    assert contributions.tolist() == [[0.0 - 2.0, 1.0 + 0.0, 0.5], [2.0 + 4.0, -1.0 + 1.0, 0.5]]


def test_a_constant_input_adds_nothing() -> None:
    model = LinearContributions(0.0, [2.0, 7.0], [1.0, 0.0], [2.0, 0.0], None)
    assert model.compute(INPUTS)[:, 1].tolist() == [0.0, 0.0]


# One split at 2 on the first input: 100 customers on each side, 10 % and 50 % of them churned.
STUMP = """[{"children_left": [1, -1, -1], "children_right": [2, -1, -1],
"children_default": [1, -1, -1], "features": [0, -2, -2], "thresholds": [2.0, -2.0, -2.0],
"values": [[0.3], [0.1], [0.5]], "node_sample_weight": [200.0, 100.0, 100.0]}]"""


def test_contributions_to_a_forest_sum_up_to_its_probability() -> None:
    contributions = TreeContributions(STUMP, 1.0).compute(INPUTS)
    assert contributions == pytest.approx(np.array([[-0.2, 0.0, 0.3], [0.2, 0.0, 0.3]]))
