import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from sklearn import metrics as sklearn_metrics

from sparkify.ml import metrics as evaluation
from sparkify.ml.bootstrap import Bootstrap


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    random = np.random.default_rng(1)
    probability = random.random(400)
    return pd.DataFrame(
        {
            "user_id": [f"u{number % 200:03}" for number in range(400)],
            "cutoff": pd.to_datetime(["2018-11-14"] * 200 + ["2018-11-21"] * 200),
            "churned": random.random(400) < probability / 4,
            "probability": probability / 4,
            "baseline_longest_away": random.random(400),
            "baseline_most_songs": random.integers(0, 9, 400),
        }
    )


def create_groups(*rows: tuple[float, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, forecasts and weights of 1, by (probability, rows, churned)."""
    churned = [
        float(place < churned_rows) for _, count, churned_rows in rows for place in range(count)
    ]
    probability = [forecast for forecast, count, _ in rows for _ in range(count)]
    return np.array(churned), np.array(probability), np.ones(len(churned))


# In each tenth of the rows, the churn rate equals the forecast.
PERFECT = create_groups(
    *[(p, 10, round(10 * p)) for p in (0.1, 0.2, 0.4, 0.6, 0.8) for _ in range(2)]
)


def raise_odds(probability: float, power: float) -> float:
    """Return the probability after raising the odds to a power."""
    raised = (probability / (1 - probability)) ** power
    return raised / (1 + raised)


def test_metrics_equal_those_of_scikit_learn(predictions: pd.DataFrame) -> None:
    churned, probability = predictions["churned"], predictions["probability"]
    predicted = probability >= 0.15
    expected = {
        "auc": sklearn_metrics.roc_auc_score(churned, probability),
        "average_precision": sklearn_metrics.average_precision_score(churned, probability),
        "log_loss": sklearn_metrics.log_loss(churned, probability),
        "brier": sklearn_metrics.brier_score_loss(churned, probability),
        "precision": sklearn_metrics.precision_score(churned, predicted),
        "recall": sklearn_metrics.recall_score(churned, predicted),
        "f1": sklearn_metrics.f1_score(churned, predicted),
        "accuracy": sklearn_metrics.accuracy_score(churned, predicted),
    }
    evaluated = evaluation.evaluate_predictions(predictions, 0.15, Bootstrap(20, 1, 5))
    assert {name: evaluated[name]["value"] for name in expected} == pytest.approx(expected)
    assert (evaluated["users"], evaluated["snapshots"]) == (200, 400)
    assert evaluated["base_rate"] == churned.mean()
    assert evaluated["threshold"] == 0.15


def test_ranking_with_weights_and_ties_equals_scikit_learn() -> None:
    random = np.random.default_rng(3)
    churned = (random.random(300) < 0.2).astype(float)
    score, weight = random.integers(0, 12, 300) / 12, random.integers(1, 4, 300).astype(float)
    expected = sklearn_metrics.roc_auc_score(churned, score, sample_weight=weight)
    assert evaluation.auc(churned, score, weight) == pytest.approx(expected)
    expected = sklearn_metrics.average_precision_score(churned, score, sample_weight=weight)
    assert evaluation.average_precision(churned, score, weight) == pytest.approx(expected)


def test_without_a_bootstrap_there_are_no_intervals(predictions: pd.DataFrame) -> None:
    evaluated = evaluation.evaluate_predictions(predictions, 0.15, None)
    with_intervals = evaluation.evaluate_predictions(predictions, 0.15, Bootstrap(5, 1, 5))
    assert set(evaluated) == set(with_intervals)
    assert evaluated["auc"]["value"] == with_intervals["auc"]["value"]
    figures = [figure for figure in evaluated.values() if isinstance(figure, dict)]
    assert [list(figure) for figure in figures] == [["value"]] * 11


def test_the_order_of_rows_changes_nothing(predictions: pd.DataFrame) -> None:
    shuffled = predictions.sample(frac=1, random_state=3)
    arguments = {"threshold": 0.15, "bootstrap": Bootstrap(30, 1, 5)}
    expected = evaluation.evaluate_predictions(predictions, **arguments)
    assert evaluation.evaluate_predictions(shuffled, **arguments) == expected


@pytest.mark.parametrize("churned", [True, False])
def test_rows_with_a_single_outcome_have_only_counts(
    predictions: pd.DataFrame, churned: bool
) -> None:
    one_outcome = predictions[predictions["churned"] == churned]
    evaluated = evaluation.evaluate_predictions(one_outcome, 0.15, Bootstrap(5, 1, 5))
    assert set(evaluated) == {"users", "snapshots", "churned", "base_rate", "threshold"}
    assert evaluated["base_rate"] == churned
    empty = evaluation.evaluate_predictions(predictions[:0], 0.15, Bootstrap(5, 1, 5))
    assert (empty["users"], empty["base_rate"]) == (0, 0.0)


@pytest.mark.parametrize(
    ("score", "lift"),
    [
        ([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 5.0),  # the one in the top tenth is one of two churners
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.0),
        ([1] * 10, 1.0),  # ties: the top tenth has the base rate
        ([5, 5, 1, 1, 1, 1, 1, 1, 1, 1], 5.0),
    ],
)
def test_lift_is_the_churn_rate_of_the_top_tenth_over_the_base_rate(
    score: list[int], lift: float
) -> None:
    churned = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    result = evaluation.lift_in_top_decile(churned, np.array(score), np.ones(10))
    assert result == pytest.approx(lift)


def test_calibrated_forecasts_have_no_calibration_error_and_a_slope_of_1() -> None:
    assert evaluation.expected_calibration_error(*PERFECT) == pytest.approx(0, abs=1e-12)
    assert evaluation.calibration_slope(*PERFECT) == pytest.approx(1, abs=1e-9)


def test_the_calibration_error_is_the_mean_gap_over_ten_groups_of_equal_size() -> None:
    # Forecasts are .1 too low for half of the groups, and .2 too high for a fifth of them.
    five_too_low = [(0.1 + 0.01 * place, 100, 20 + place) for place in range(5)]
    two_too_high = [(0.5 + 0.01 * place, 100, 30 + place) for place in range(2)]
    right = [(0.7 + 0.01 * place, 100, 70 + place) for place in range(3)]
    error = evaluation.expected_calibration_error(
        *create_groups(*five_too_low, *two_too_high, *right)
    )
    assert error == pytest.approx(0.5 * 0.1 + 0.2 * 0.2)


@pytest.mark.parametrize(("power", "slope"), [(2, 0.5), (3, 1 / 3), (0.5, 2)])
def test_the_slope_measures_how_extreme_forecasts_are(power: float, slope: float) -> None:
    churned, probability, weight = PERFECT
    extreme = np.array([raise_odds(p, power) for p in probability])
    assert evaluation.calibration_slope(churned, extreme, weight) == pytest.approx(slope, abs=1e-9)


def test_a_too_high_base_rate_does_not_change_the_slope() -> None:
    churned, probability, weight = PERFECT
    too_high = probability * 3 / (1 + 2 * probability)  # three times the odds
    assert evaluation.calibration_slope(churned, too_high, weight) == pytest.approx(1, abs=1e-9)
    assert evaluation.expected_calibration_error(churned, too_high, weight) > 0.15


@pytest.mark.parametrize("rows", [180, 18_000])
def test_the_line_solves_the_likelihood_equations(rows: int) -> None:
    random = np.random.default_rng(rows)
    forecast = random.normal(-3, 1, rows)
    churned = (random.random(rows) < 1 / (1 + np.exp(-0.7 * forecast))).astype(float)
    weight = random.integers(1, 4, rows).astype(float)

    def score(line: np.ndarray) -> np.ndarray:
        left = weight * (churned - 1 / (1 + np.exp(-line[0] * forecast - line[1])))
        return np.array([left @ forecast, left.sum()]) / rows

    solved = optimize.root(score, np.zeros(2), tol=1e-14).x
    result = evaluation.fit_calibration_line(churned, 1 / (1 + np.exp(-forecast)), weight)
    assert result == pytest.approx(solved, abs=1e-8)


def test_equal_forecasts_have_no_slope_and_the_base_rate_as_intercept() -> None:
    churned, probability, weight = create_groups((0.3, 10, 2))
    slope, intercept = evaluation.fit_calibration_line(churned, probability, weight)
    assert (slope, intercept) == (0, pytest.approx(np.log(2 / 8)))


@pytest.mark.parametrize("churned", [[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 1]])
def test_forecasts_that_separate_churners_from_others_have_no_slope(churned: list[int]) -> None:
    rows = np.array(churned, float), np.array([0.1, 0.2, 0.2, 0.3]), np.ones(4)
    assert evaluation.fit_calibration_line(*rows) is None
    assert np.isnan(evaluation.calibration_slope(*rows))


@pytest.mark.parametrize("metric", ["expected_calibration_error", "calibration_slope"])
def test_weights_count_like_repeated_rows(metric: str) -> None:
    churned = np.array([0, 1, 0, 0, 1, 0, 0, 1, 1, 1])
    probability = np.linspace(0.05, 0.95, 10)
    score = getattr(evaluation, metric)
    weighted = score(churned, probability, np.full(10, 3.0))
    repeated = score(np.repeat(churned, 3), np.repeat(probability, 3), np.ones(30))
    assert weighted == pytest.approx(repeated)


def test_weights_larger_than_a_group_count_like_repeated_rows() -> None:
    churned, probability, weight = np.array([1, 0]), np.array([0.2, 0.5]), np.array([1, 19])
    repeated = np.repeat(churned, weight), np.repeat(probability, weight), np.ones(20)
    weighted = evaluation.expected_calibration_error(churned, probability, weight.astype(float))
    assert weighted == pytest.approx(evaluation.expected_calibration_error(*repeated))


def test_equal_calibrated_forecasts_have_no_calibration_error() -> None:
    assert evaluation.expected_calibration_error(*create_groups((0.5, 10, 5))) == pytest.approx(0)


def test_log_odds_and_probabilities_are_inverse() -> None:
    odds = np.array([-np.log(9), 0, np.log(9)])
    assert evaluation.log_odds(np.array([0.1, 0.5, 0.9])) == pytest.approx(odds)
    assert evaluation.probability_from_log_odds(odds) == pytest.approx([0.1, 0.5, 0.9])


def test_a_probability_is_never_0_or_1() -> None:
    certain = evaluation.log_odds(np.array([0.0, 1.0]))
    assert evaluation.probability_from_log_odds(certain) == pytest.approx([1e-6, 1 - 1e-6])


def test_the_base_rate_baseline_does_not_rank(predictions: pd.DataFrame) -> None:
    evaluated = evaluation.evaluate_baselines(predictions, 0.1, Bootstrap(20, 1, 5))
    assert list(evaluated) == ["base_rate", "longest_away", "most_songs"]
    assert evaluated["base_rate"]["auc"]["value"] == 0.5
    share = predictions["churned"].mean()
    assert evaluated["base_rate"]["average_precision"]["value"] == pytest.approx(share)
    assert evaluated["base_rate"]["lift_top_decile"]["value"] == pytest.approx(1)
    assert set(evaluated["most_songs"]) == {"auc", "average_precision", "lift_top_decile"}
    assert "ci95" not in evaluated["base_rate"]["auc"]
    low, high = evaluated["base_rate"]["average_precision"]["ci95"]
    assert low < share < high


def test_the_gain_over_a_baseline_is_the_difference_on_the_same_resamples(
    predictions: pd.DataFrame,
) -> None:
    scored = predictions.assign(baseline_itself=predictions["probability"] * 100)
    bootstrap = Bootstrap(200, 1, 5)
    gains = evaluation.measure_gain_over_baselines(scored, bootstrap)
    assert list(gains) == ["longest_away", "most_songs", "itself"]
    no_gain = {"value": 0.0, "ci95": [0.0, 0.0]}
    assert gains["itself"] == {"auc": no_gain, "average_precision": no_gain}
    model_auc, baseline_auc = (
        sklearn_metrics.roc_auc_score(predictions["churned"], predictions[column])
        for column in ("probability", "baseline_most_songs")
    )
    gain = gains["most_songs"]["auc"]
    assert gain["value"] == pytest.approx(model_auc - baseline_auc)
    assert gain["ci95"][0] < gain["value"] < gain["ci95"][1]


def test_a_worse_second_forecast_has_costs() -> None:
    rows = {"user_id": list("abcd"), "cutoff": "2018-11-07", "churned": [True, False, True, False]}
    right = pd.DataFrame({**rows, "probability": [0.9, 0.2, 0.8, 0.1]})
    wrong = right.assign(probability=[0.9, 0.8, 0.2, 0.1])
    costs = evaluation.compare_forecasts(right, wrong, Bootstrap(20, 1, 1))
    assert costs["auc"]["value"] == pytest.approx(0.25)
    assert costs["average_precision"]["value"] > 0
    assert costs["log_loss"]["value"] > 0
    low, high = costs["auc"]["ci95"]
    assert low <= costs["auc"]["value"] <= high
    same = evaluation.compare_forecasts(right, right, Bootstrap(20, 1, 1))
    assert same["log_loss"]["value"] == 0


def test_the_threshold_has_the_best_expected_f1() -> None:
    # Expected churners among the 1 to 4 highest: .6, 1.1, 1.2, 1.25; F1 .533, .677, .565, .476.
    assert evaluation.find_best_f1_threshold(pd.Series([0.1, 0.5, 0.05, 0.6])) == pytest.approx(0.3)


def test_equal_probabilities_get_the_same_prediction() -> None:
    # .9 and one of the three at .4 would be the best, if these could be separated.
    assert evaluation.find_best_f1_threshold(pd.Series([0.4, 0.9, 0.4, 0.1, 0.4])) == pytest.approx(
        0.25
    )


def test_a_constant_forecast_predicts_that_all_churn() -> None:
    assert 0 <= evaluation.find_best_f1_threshold(pd.Series([0.1, 0.1])) < 0.1
