import json
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import ceiling, ceiling_curves, ceiling_report
from benchmarks.foresight import Foresight, compute_cancel_probabilities, compute_step_shares
from benchmarks.program import RESULTS
from sparkify.ml.bootstrap import Bootstrap
from sparkify.pipelines.simulation.chain import State, list_cohorts, list_states
from sparkify.pipelines.simulation.life import Process, Session, Traits
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters
from tests.figure_checks import require_readable

# Short pauses between sessions: much happens in few days.
BUSY = {"users": 300, "days": 9, "songs": 50, "artists": 5, "session_gap_days": 0.7, "seed": 3}
CUTOFF_DAY, HORIZON_DAYS = 4, 5
SIX = {
    "user_id": list("123456"),
    "cutoff": pd.Timestamp("2018-11-21").date(),
    "churned": [True, False, True, False, False, False],
}


@pytest.fixture(scope="module")
def busy(parameters: dict[str, Any]) -> SimulationParameters:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    return SimulationParameters(**{**mini.model_dump(), **BUSY})


@pytest.fixture(scope="module")
def foresight(busy: SimulationParameters) -> Foresight:
    cutoff = busy.start_second + CUTOFF_DAY * DAY_SECONDS
    return Foresight(busy, cutoff, cutoff + HORIZON_DAYS * DAY_SECONDS, futures=4)


@pytest.fixture(scope="module")
def customers(busy: SimulationParameters) -> list[int]:
    """Return the numbers of the customers at the cutoff."""
    process, cutoff = Process(busy), busy.start_second + CUTOFF_DAY * DAY_SECONDS
    numbers = []
    for number in range(busy.users):
        before = list_past_sessions(process, number, cutoff)
        visited = {state for session in before for state in session.states}
        if {list_states()[state].auth for state in visited} >= {"Logged In"} and not any(
            list_states()[state].auth == "Cancelled" for state in visited
        ):
            numbers.append(number)
    return numbers


def list_past_sessions(process: Process, number: int, cutoff: int) -> list[Session]:
    """Return the sessions of a life before the cutoff."""
    cut = []
    for session in process.simulate_user(number, process.draw_traits(number)):
        kept = sum(second < cutoff for second in session.seconds)
        if kept:
            lists = (session.seconds[:kept], session.states[:kept], session.songs[:kept])
            cut.append(Session(session.first_item, *lists))
    return cut


def find_state(page: str, auth: str = "Logged In", level: str = "free") -> int:
    return list_states().index(State(page, auth, level))


@pytest.mark.parametrize("cohort", ["accordion", "tuba", "zither", "xylophone"])
def test_the_shares_of_steps_sum_to_1(cohort: str) -> None:
    assert cohort in list_cohorts()
    assert compute_step_shares(cohort).sum(axis=1) == pytest.approx(np.ones(len(list_states())))
    assert compute_step_shares(cohort)[find_state("Cancel"), -1] == 0


def test_probabilities_of_cancelling_follow_the_published_steps() -> None:
    of_session, of_next = compute_cancel_probabilities("tuba")
    assert of_next[find_state("Settings")] == pytest.approx(0.02 * 0.999)
    assert of_next[find_state("Roll Advert", level="paid")] == pytest.approx(0.05 * 0.999)
    assert of_next[find_state("NextSong")] == 0
    assert 0 < of_session[find_state("NextSong")] < 1
    confirmation = find_state("Cancellation Confirmation", "Cancelled")
    assert of_session[confirmation] == 1
    # An error after Cancel leads back to where one may cancel again.
    assert 0.999 < of_session[find_state("Cancel")] < 1
    assert of_next[find_state("Cancel")] == of_next[confirmation] == 0


def test_next_steps_add_up_to_the_whole_session() -> None:
    of_session, of_next = compute_cancel_probabilities("zither")
    visits = np.linalg.inv(np.eye(len(list_states())) - compute_step_shares("zither")[:, :-1])
    cancels = {find_state("Cancel", level=level) for level in ("free", "paid")}
    outside = [
        number
        for number, state in enumerate(list_states())
        if state.auth != "Cancelled" and number not in cancels
    ]
    assert (visits @ of_next)[outside] == pytest.approx(np.array(of_session)[outside])


def test_the_posterior_of_a_heavy_user_is_near_the_true_traits(
    busy: SimulationParameters, foresight: Foresight, customers: list[int]
) -> None:
    process, cutoff = Process(busy), busy.start_second + CUTOFF_DAY * DAY_SECONDS
    of_cohort, errors = [], []
    for number in customers:
        user, before = process.draw_traits(number), list_past_sessions(process, number, cutoff)
        if sum(len(session.states) for session in before) < 500:
            continue
        allowed, weights = foresight.compute_posterior(
            user, before, process.find_last_event(before[-1], cutoff)
        )
        assert weights.sum() == pytest.approx(1)
        is_own = np.array([guess.cohort == user.cohort for guess in allowed])
        of_cohort.append(weights[is_own].sum())
        logarithms = np.log([guess.session_gap_seconds for guess in allowed])
        errors.append(weights @ logarithms - np.log(user.session_gap_seconds))
    assert len(errors) > 20
    assert np.mean(of_cohort) > 0.9
    assert abs(np.mean(errors)) < 0.2
    assert np.std(errors) < 0.5  # before anything is known it is 1


def test_events_after_the_cutoff_change_no_posterior(
    busy: SimulationParameters, foresight: Foresight
) -> None:
    process, cutoff = Process(busy), busy.start_second + CUTOFF_DAY * DAY_SECONDS
    changed = 0
    for number in range(60):
        user, before = process.draw_traits(number), list_past_sessions(process, number, cutoff)
        if not before:
            continue
        last_event, last = process.find_last_event(before[-1], cutoff), before[-1]
        cancelled = find_state("Cancel"), find_state("Cancellation Confirmation", "Cancelled")
        going_on = last._replace(
            seconds=[*last.seconds, cutoff, cutoff + 1], states=[*last.states, *cancelled]
        )
        changed += 1
        _, weights = foresight.compute_posterior(user, before, last_event)
        _, same = foresight.compute_posterior(user, [*before[:-1], going_on], last_event)
        assert weights.tolist() == same.tolist()
    assert changed > 30


def test_futures_are_allocated_by_probability(foresight: Foresight) -> None:
    traits = [Traits(cohort, 90.0, 9.0, "Logged In", "free", 0, 0) for cohort in "abcd"]
    allocated = foresight.allocate_futures(Random(1), traits, np.array([0.25, 0.0, 0.5, 0.25]))  # noqa: S311
    assert allocated == {traits[0]: 1, traits[2]: 2, traits[3]: 1}


def test_the_mean_prediction_is_the_share_of_churners(
    busy: SimulationParameters, foresight: Foresight, customers: list[int]
) -> None:
    made = pd.DataFrame([foresight.forecast(number) for number in customers])
    assert len(made) > 200
    assert made["lived_churned"].sum() > 15
    for name in ("oracle", "informed"):
        assert made[name].between(0, 1).all()
        assert made[name].mean() == pytest.approx(made["lived_churned"].mean(), abs=0.03)
        by_label = made.groupby("lived_churned")[name].mean()
        assert by_label[True] > 1.5 * by_label[False]


def test_a_forecast_depends_on_the_customer_alone(
    foresight: Foresight, busy: SimulationParameters, customers: list[int]
) -> None:
    cutoff = busy.start_second + CUTOFF_DAY * DAY_SECONDS
    span = cutoff, cutoff + HORIZON_DAYS * DAY_SECONDS
    some = customers[4:8]
    assert ceiling.forecast_users(busy, span, 4, some) == [foresight.forecast(n) for n in some]


def test_an_earlier_champion_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ceiling_report.Log(24, 90, tmp_path)
    monkeypatch.setattr(log, "require", lambda: None)
    calls = []

    def kedro(*options: str) -> None:
        calls.extend(options)
        for name in ("test_predictions", "candidate_predictions"):
            (log.layer("07_model_output") / name).mkdir(parents=True)
            forecasts = pd.DataFrame({"user_id": [name]})
            forecasts.to_parquet(log.layer("07_model_output") / name / "part-0.parquet")

    monkeypatch.setattr(log, "kedro", kedro)
    ours, of_candidates = log.run()
    assert "evaluation.promotion.replace=always" in calls
    assert ours["user_id"].tolist() == ["test_predictions"]
    assert of_candidates["user_id"].tolist() == ["candidate_predictions"]


def test_the_evaluation_of_the_curves_is_read_from_the_run(tmp_path: Path) -> None:
    log = ceiling_report.Log(24, 90, tmp_path)
    folder = log.layer("08_reporting")
    folder.mkdir(parents=True)
    saved = {"fingerprint": "00f1", "rows": [{"day": 7, "observed": 0.02}]}
    (folder / "curve_evaluation.json").write_text(json.dumps(saved))
    assert log.read_curve_evaluation() == [{"day": 7, "observed": 0.02}]


@pytest.fixture
def hold_out(busy: SimulationParameters, customers: list[int], tmp_path: Path) -> Any:
    """Return a log, its hold-out of five customers, and their predictions."""
    day = pd.Timestamp(busy.start) + pd.Timedelta(days=CUTOFF_DAY)
    parameters = {"feature_engineering": {"horizon_days": HORIZON_DAYS}}
    log = SimpleNamespace(folder=tmp_path, parameters=parameters, simulation=busy)
    cutoff = busy.start_second + CUTOFF_DAY * DAY_SECONDS
    span = cutoff, cutoff + HORIZON_DAYS * DAY_SECONDS
    made = pd.DataFrame(ceiling.forecast_users(busy, span, 2, customers[:5]))
    holdout = made.rename(columns={"lived_churned": "churned"})[["user_id", "churned"]]
    return log, holdout.assign(cutoff=day.date()), made


def test_every_customer_of_the_hold_out_has_predictions(hold_out: Any) -> None:
    log, held_out, made = hold_out
    results = ceiling.predict_holdout(log, held_out.iloc[::-1], futures=2)
    assert results["user_id"].tolist() == held_out["user_id"].tolist()[::-1]
    assert results["oracle"].tolist() == made["oracle"].tolist()[::-1]
    assert results["informed"].tolist() == made["informed"].tolist()[::-1]


def test_a_log_of_another_simulator_is_an_error(hold_out: Any) -> None:
    log, held_out, made = hold_out
    made.assign(lived_churned=~made["lived_churned"]).to_parquet(log.folder / "foresight_2.parquet")
    with pytest.raises(ValueError, match="5 of 5 simulated lives end differently from the log"):
        ceiling.predict_holdout(log, held_out, futures=2)


@pytest.fixture
def six() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what was forecast of six customers, by us and by a candidate."""
    predictions = pd.DataFrame(
        {
            **SIX,
            "probability": [0.6, 0.3, 0.2, 0.1, 0.1, 0.1],
            "oracle": [0.5, 0.1, 0.5, 0.1, 0.1, 0.1],
            "informed": [0.5, 0.4, 0.3, 0.1, 0.1, 0.1],
            "baseline_most_songs": [10.0, 50.0, 20.0, 30.0, 40.0, 60.0],
        }
    )
    tree = predictions.assign(candidate="boosted_trees", probability=1 / 3).iloc[::-1]
    line = predictions.assign(candidate="line").iloc[::-1]
    return predictions, pd.concat([tree, line])[[*SIX, "candidate", "probability"]]


def test_all_predictors_are_scored_on_the_same_customers(
    six: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceiling_report, "BOOTSTRAP", Bootstrap(20, 7, 1))
    results = ceiling_report.score_predictions(*six)
    assert (results["customers"], results["churned"]) == (6, 2)
    scores = results["scores"]
    auc = {name: one["auc"]["value"] for name, one in scores.items()}
    assert auc == {
        "oracle": 1.0,
        "informed": 7 / 8,
        "ours": 7 / 8,
        "boosted_trees": 0.5,
        "line": 7 / 8,
        "baseline most songs": 0.0,
    }
    assert scores["ours"]["average_precision"]["value"] == pytest.approx(5 / 6)
    base_rate = -(2 * np.log(1 / 3) + 4 * np.log(2 / 3)) / 6
    assert scores["boosted_trees"]["log_loss"]["value"] == pytest.approx(base_rate)
    assert "log_loss" not in scores["baseline most songs"]
    assert {"expected_calibration_error", "calibration_slope"} <= set(scores["ours"])
    low, high = scores["informed"]["auc"]["ci95"]
    assert low < 7 / 8 < high


def with_auc(oracle: float, ours: float, high: float = 0.9) -> dict[str, Any]:
    def scores(auc: float, precision: float) -> dict[str, Any]:
        return {
            "auc": {"value": auc, "ci95": [auc - 0.1, high]},
            "average_precision": {"value": precision, "ci95": [0.1, 0.3]},
            "log_loss": {"value": 0.13, "ci95": [0.12, 0.14]},
        }

    calibration = {
        "expected_calibration_error": {"value": 0.004, "ci95": [0.001, 0.006]},
        "calibration_slope": {"value": 1.2, "ci95": [1.1, 1.3]},
    }
    one = {"oracle": scores(oracle, 0.2), "ours": scores(ours, 0.19) | calibration}
    return {"customers": 6, "churned": 2, "scores": one}


def test_a_table_has_a_line_per_predictor() -> None:
    lines = ceiling_report.format_table(with_auc(0.8, 0.79)["scores"]).splitlines()
    assert [line[:28].strip() for line in lines[:3]] == ["", "oracle", "ours"]
    assert lines[0].endswith("  log loss")
    assert lines[1][28:].split() == [
        *("0.8000", "[0.7000,", "0.9000]", "0.2000", "[0.1000,", "0.3000]"),
        *("0.1300", "[0.1200,", "0.1400]"),
    ]
    assert lines[3] == (
        "ours: expected calibration error 0.0040 [0.0010, 0.0060], "
        "calibration slope 1.2000 [1.1000, 1.3000]"
    )


def test_an_auc_above_the_oracle_s_interval_is_a_leak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = {1: with_auc(0.8, 0.85), 2: with_auc(0.8, 0.91)}
    for one in results.values():
        one["scores"]["informed"] = one["scores"]["oracle"]

    def log(seed: int, users: int, folder: Path) -> Any:
        rows = [{"day": 7, "observed": 0.02}]
        return SimpleNamespace(run=lambda: ([seed], []), read_curve_evaluation=lambda: rows)

    monkeypatch.setattr(ceiling_report, "Log", log)
    monkeypatch.setattr(ceiling, "predict_holdout", lambda log, held_out, futures: held_out[0])
    monkeypatch.setattr(ceiling_report, "score_predictions", lambda seed, candidates: results[seed])
    monkeypatch.setattr(ceiling_curves, "compare_curves", lambda *_: [{"day": 7, "bias": 0.01}])
    arguments = ["--users", "6", "--logs", str(tmp_path), "--results", str(tmp_path / "results")]
    ceiling.main(["--seeds", "1", *arguments])
    with pytest.raises(SystemExit, match="On seed 2 our AUC is above the interval of the oracle"):
        ceiling.main(["--seeds", "1", "2", *arguments])
    output = capsys.readouterr().out
    assert "Mean and range over 2 seeds" in output
    results = json.loads((tmp_path / "results/ceiling.json").read_text())
    assert list(results["seeds"]) == ["1", "2"]
    assert results["seeds"]["1"]["curves"] == [{"day": 7, "bias": 0.01}]
    assert results["seeds"]["1"]["curve_evaluation"] == [{"day": 7, "observed": 0.02}]
    assert results["over_seeds"]["ours"]["auc"] == {
        "value": pytest.approx(0.88),
        "range": [0.85, 0.91],
    }
    assert results["command"].startswith("python -m benchmarks.ceiling --seeds 1 2")
    assert (tmp_path / "results/ceiling.png").stat().st_size > 5_000


def test_the_figure_of_the_saved_results_can_be_read(tmp_path: Path) -> None:
    saved = (RESULTS / "ceiling.json").read_text()
    require_readable(ceiling_report.draw_scores(json.loads(saved)["seeds"]))
    (tmp_path / "ceiling.json").write_text(saved)
    ceiling.main(["--seeds", "--results", str(tmp_path)])
    assert (tmp_path / "ceiling.png").stat().st_size > 5_000
