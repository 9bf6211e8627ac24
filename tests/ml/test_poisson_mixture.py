from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparkify.ml.poisson_mixture import RateData, fit_mixture

# Most customers see an advert after 5 of 100 songs, a fifth of them after 20.
SHARES, ADVERTS, THUMBS = [0.8, 0.2], [0.05, 0.2], [0.04, 0.03]
SEARCH = {"max_segments": 5, "starts": 2, "seed": 3}


def draw_customers(segments: list[int], songs: int = 300, prior: float = 10) -> RateData:
    random = np.random.default_rng(5)
    kind = np.repeat(range(len(segments)), segments)
    denominators = random.integers(0, 2 * songs, len(kind)).astype(float)
    counts = [random.poisson(denominators * np.take(rates, kind)) for rates in (ADVERTS, THUMBS)]
    return RateData(
        np.column_stack(counts).astype(float),
        np.column_stack([denominators, denominators]),
        np.full(2, prior),
    )


def test_segments_are_recovered_with_their_shares_and_rates() -> None:
    mixture = fit_mixture(draw_customers([400, 100]), **SEARCH)
    order = np.argsort(-mixture.shares)
    assert mixture.shares[order] == pytest.approx(SHARES, abs=0.01)
    assert np.abs(mixture.rates[order].T - [ADVERTS, THUMBS]).max() < 0.003


def test_similar_customers_are_one_segment() -> None:
    similar = draw_customers([300])
    mixture = fit_mixture(similar, **SEARCH)
    assert mixture.shares.tolist() == [1.0]
    assert mixture.rates[0] == pytest.approx(similar.overall, rel=1e-9)


def test_the_number_of_segments_has_a_maximum() -> None:
    mixture = fit_mixture(draw_customers([400, 100]), **{**SEARCH, "max_segments": 1})
    assert len(mixture.shares) == 1


@pytest.mark.parametrize(("prior", "segments"), [(1e9, 1), (10, 2)])
def test_a_strong_prior_gives_all_segments_the_overall_rates(prior: float, segments: int) -> None:
    customers = draw_customers([400, 100], prior=prior)
    assert len(fit_mixture(customers, **{**SEARCH, "max_segments": 2}).shares) == segments


def test_more_searches_never_lower_the_likelihood() -> None:
    customers = draw_customers([80, 20], songs=40)
    once, often = (fit_mixture(customers, **{**SEARCH, "starts": starts}) for starts in (1, 6))
    assert often.log_likelihood >= once.log_likelihood


def test_genuine_customers_have_the_segments_of_the_simulator(real: Path) -> None:
    totals = pd.read_csv(real / "mini_user_totals.csv").astype({"next_song": float})
    counts = totals[["thumbs_up", "thumbs_down"]].to_numpy(float)
    songs = totals[["next_song", "next_song"]].to_numpy(float)
    mixture = fit_mixture(RateData(counts, songs, np.full(2, 100.0)), **SEARCH)
    by_rates = sorted(mixture.rates.tolist(), key=lambda rates: rates[0] + 10 * rates[1])
    ordinary, happy, grumpy = by_rates
    assert ordinary == pytest.approx([0.050, 0.010], rel=0.04)
    assert happy == pytest.approx([0.088, 0.009], rel=0.04)
    assert grumpy == pytest.approx([0.050, 0.030], rel=0.04)
