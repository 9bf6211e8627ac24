import math
from typing import Any

import numpy as np
import pytest

from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.pipelines.simulation.songs import SongCatalogue, encode_twice

JUST_BELOW_1 = math.nextafter(1.0, 0.0)


def make_catalogue(parameters: dict[str, Any], **changes: Any) -> SongCatalogue:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    small = {**mini.model_dump(), "songs": 500, "artists": 50}
    return SongCatalogue(SimulationParameters(**{**small, **changes}))


@pytest.mark.parametrize("songs", [1, 2, 500, 384_546])
def test_every_uniform_number_gives_a_song_of_the_catalogue(
    parameters: dict[str, Any], songs: int
) -> None:
    catalogue = make_catalogue(parameters, songs=songs)
    assert catalogue.draw(0.0) == 0
    assert catalogue.draw(JUST_BELOW_1) == songs - 1
    assert {0, *(catalogue.draw(k / 1_000) for k in range(1_000))} <= set(range(songs))


def test_popularity_falls_with_the_song_number(parameters: dict[str, Any]) -> None:
    catalogue = make_catalogue(parameters, songs=20)
    songs = [catalogue.draw((k + 0.5) / 100_000) for k in range(100_000)]
    plays = np.bincount(songs, minlength=20)
    assert songs == sorted(songs)
    assert (np.diff(plays) < 0).all()


def test_the_first_song_of_the_full_catalogue_gets_the_published_share(
    parameters: dict[str, Any],
) -> None:
    catalogue = make_catalogue(parameters, songs=384_546)
    first = sum(catalogue.draw((k + 0.5) / 10_000) == 0 for k in range(10_000)) / 10_000
    assert 0.004 < first < 0.006


def test_any_popularity_exponent_covers_all_songs(parameters: dict[str, Any]) -> None:
    for exponent in (1.01, 2.0):
        catalogue = make_catalogue(parameters, song_popularity_exponent=exponent)
        assert catalogue.draw(0.0) == 0
        assert catalogue.draw(JUST_BELOW_1) == 499


def test_song_lengths_follow_the_parameters(parameters: dict[str, Any]) -> None:
    lengths = np.array(make_catalogue(parameters, songs=100_000).length_seconds)
    assert lengths.mean() == pytest.approx(249.12, rel=0.01)
    assert lengths.std() == pytest.approx(99.24, rel=0.02)
    assert lengths.min() > 0


def test_names_with_accents_are_encoded_twice() -> None:
    assert encode_twice(["Björk", "Café", "Moon"]).tolist() == ["BjÃ¶rk", "CafÃ©", "Moon"]


def test_the_catalogue_has_names_encoded_twice(parameters: dict[str, Any]) -> None:
    table = make_catalogue(parameters, songs=5_000, artists=2_000).build_table()
    assert table["artist"].str.contains("BjÃ¶rk").any()
    text = "".join([*table["artist"], *table["song"]])
    assert "ö" not in text
    assert "é" not in text


def test_the_table_has_one_row_per_song_by_popularity(parameters: dict[str, Any]) -> None:
    songs = make_catalogue(parameters)
    table = songs.build_table()
    assert list(table.columns) == ["song_number", "artist", "song", "length"]
    assert table["song_number"].tolist() == list(range(500))
    assert table["length"].tolist() == songs.length_seconds
    assert (table[["artist", "song"]] != "").all(axis=None)


def test_artist_names_are_unique_and_the_first_has_the_largest_number_of_songs(
    parameters: dict[str, Any],
) -> None:
    songs = make_catalogue(parameters, songs=20_000, artists=100)
    by_artist = songs.build_table()["artist"].value_counts()
    assert len(by_artist) == 100
    assert by_artist.index[0] == songs._make_artists()[0]


def test_catalogues_are_equal_only_for_the_same_seed(
    parameters: dict[str, Any],
) -> None:
    one, again, other = (make_catalogue(parameters, seed=seed).build_table() for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one["song"].equals(other["song"])
    assert not one["length"].equals(other["length"])
