from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparkify.ml.poisson_mixture import Counted, fit_mixture
from sparkify.pipelines.modelling.parameters import SegmentParameters

# Ordinary customers see an advert after 5 of 100 songs, a fifth of all after 20.
SHARES, ADVERTS, THUMBS = [0.8, 0.2], [0.05, 0.2], [0.04, 0.03]


def settings(**changed: Any) -> SegmentParameters:
    rates = {
        name: {"count": name, "per": "songs", "prior": 10, "group": "any"}
        for name in ("adverts", "thumbs")
    }
    whole = {"rates": rates, "most": 5, "starts": 2, "most_users": 1_000, "seed": 3}
    return SegmentParameters.model_validate(whole | changed)


def counted(segments: list[int], parameters: SegmentParameters, songs: int = 300) -> Counted:
    random = np.random.default_rng(5)
    kind = np.repeat(range(len(segments)), segments)
    rows = pd.DataFrame({"songs": random.integers(0, 2 * songs, len(kind)).astype(float)})
    rows["adverts"] = random.poisson(rows["songs"] * np.take(ADVERTS, kind)).astype(float)
    rows["thumbs"] = random.poisson(rows["songs"] * np.take(THUMBS, kind)).astype(float)
    return Counted.of(rows, list(parameters.rates.values()))


def test_the_kinds_that_are_there_are_found_with_their_shares_and_rates() -> None:
    found = fit_mixture(counted([400, 100], settings()), settings())
    order = np.argsort(-found.shares)
    assert found.shares[order] == pytest.approx(SHARES, abs=0.01)
    assert np.abs(found.rates[order].T - [ADVERTS, THUMBS]).max() < 0.003


def test_customers_who_are_alike_are_one_kind() -> None:
    ordinary = counted([300], settings())
    found = fit_mixture(ordinary, settings())
    assert found.shares.tolist() == [1.0]
    assert found.rates[0] == pytest.approx(ordinary.overall, rel=1e-9)


def test_there_are_no_more_segments_than_are_asked_for() -> None:
    assert len(fit_mixture(counted([400, 100], settings()), settings(most=1)).shares) == 1


def test_a_segment_of_whom_little_was_seen_has_nearly_everybody_s_rates() -> None:
    far = settings(most=2)
    strong = far.model_copy(
        update={"rates": {n: r.model_copy(update={"prior": 1e9}) for n, r in far.rates.items()}}
    )
    rows = counted([400, 100], strong)
    assert len(fit_mixture(rows, strong).shares) == 1
    assert len(fit_mixture(counted([400, 100], far), far).shares) == 2


def test_more_searches_find_nothing_less_likely() -> None:
    rows = counted([80, 20], settings(), songs=40)
    once, often = (fit_mixture(rows, settings(starts=starts)) for starts in (1, 6))
    assert often.log_likelihood >= once.log_likelihood


def test_genuine_customers_are_of_the_kinds_that_the_simulator_draws(real: Path) -> None:
    totals = pd.read_csv(real / "mini_user_totals.csv")
    rates = {
        name: {"count": name, "per": "next_song", "prior": 100, "group": "thumbs"}
        for name in ("thumbs_up", "thumbs_down")
    }
    parameters = settings(rates=rates)
    rows = totals[["thumbs_up", "thumbs_down", "next_song"]].astype(float)
    found = fit_mixture(Counted.of(rows, list(parameters.rates.values())), parameters)
    ordinary, happy, grumpy = sorted(found.rates.tolist(), key=lambda rate: rate[0] + 10 * rate[1])
    assert ordinary == pytest.approx([0.050, 0.010], rel=0.04)
    assert happy == pytest.approx([0.088, 0.009], rel=0.04)
    assert grumpy == pytest.approx([0.050, 0.030], rel=0.04)
