import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from sparkify.pipelines.modelling import evaluation


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
            "predicted": probability / 4 > 0.15,
            "days_since_last_seen": random.random(400),
            "next_song_28d": random.integers(0, 9, 400),
        }
    )


def test_every_metric_is_scikit_learns(predictions: pd.DataFrame) -> None:
    churned, probability = predictions["churned"], predictions["probability"]
    predicted = predictions["predicted"]
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
    told = evaluation.evaluated(predictions, 0.15, resamples=20, seed=1)
    assert {name: told[name]["value"] for name in expected} == pytest.approx(expected)
    assert (told["users"], told["snapshots"]) == (200, 400)
    assert told["base_rate"] == churned.mean()


def test_intervals_hold_the_value_and_narrow_with_users(predictions: pd.DataFrame) -> None:
    def width(rows: pd.DataFrame) -> float:
        told = evaluation.with_intervals(rows, evaluation.RANKING, resamples=200, seed=1)["auc"]
        low, high = told["ci95"]
        assert low < told["value"] < high
        return high - low

    more = pd.concat([predictions.assign(user_id=predictions.user_id + tag) for tag in "abcd"])
    assert width(more) == pytest.approx(width(predictions) / 2, rel=0.3)


def test_rows_of_one_user_are_drawn_together(predictions: pd.DataFrame) -> None:
    doubled = pd.concat([predictions, predictions])
    once = evaluation.with_intervals(predictions, evaluation.RANKING, resamples=50, seed=1)
    twice = evaluation.with_intervals(doubled, evaluation.RANKING, resamples=50, seed=1)
    assert twice["auc"]["ci95"] == pytest.approx(once["auc"]["ci95"])


def test_the_order_of_rows_changes_nothing(predictions: pd.DataFrame) -> None:
    shuffled = predictions.sample(frac=1, random_state=3)
    arguments = {"threshold": 0.15, "resamples": 30, "seed": 1}
    expected = evaluation.evaluated(predictions, **arguments)
    assert evaluation.evaluated(shuffled, **arguments) == expected


@pytest.mark.parametrize(
    ("score", "lift"),
    [
        ([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 5.0),  # the one in the top tenth is one of two churners
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.0),
        ([1] * 10, 1.0),  # all alike: the tenth is drawn from everybody
        ([5, 5, 1, 1, 1, 1, 1, 1, 1, 1], 5.0),
    ],
)
def test_lift_is_the_churn_of_the_top_tenth_over_that_of_all(score: list[int], lift: float) -> None:
    churned = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    found = evaluation.lift_in_top_decile(churned, np.array(score), np.ones(10))
    assert found == pytest.approx(lift)


def test_the_base_rate_ranks_nobody(predictions: pd.DataFrame) -> None:
    told = evaluation.baselines(predictions, 0.1, resamples=20, seed=1)
    assert told["base_rate"]["auc"]["value"] == 0.5
    share = predictions["churned"].mean()
    assert told["base_rate"]["average_precision"]["value"] == pytest.approx(share)
    assert told["base_rate"]["lift_top_decile"]["value"] == pytest.approx(1)
    assert set(told["most_songs"]) == {"auc", "average_precision", "lift_top_decile"}
