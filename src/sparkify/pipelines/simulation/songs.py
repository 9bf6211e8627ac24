"""The invented catalogue of songs that simulated users listen to.

Titles and artists are combinations of word lists, not real recordings. The number of songs, the
concentration of plays on few songs and the lengths are those of the published log. As in that log,
names with accents are encoded twice ("BjÃ¶rk").
"""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from sparkify.pipelines.simulation.chain import read_words
from sparkify.pipelines.simulation.parameters import SimulationParameters

Words = npt.NDArray[np.object_]

TITLE_OPENINGS = [
    *["", "", "", "The ", "My ", "Your ", "No ", "One ", "Every ", "This ", "Hey ", "Dear "],
    *["Another ", "Goodbye ", "Oh ", "In a ", "Her ", "His ", "More ", "Like a "],
]
LONG_TITLE_SHARE = 0.2
TITLE_SUFFIXES = ["", "", "", "", "", "", " (Album Version)", " (Live)", " (Explicit)", " Pt. 2"]


def encode_twice(words: list[str]) -> Words:
    """Decode the UTF-8 bytes of each word as Latin-1, as the published log does.

    The elements are Python strings, which `+` concatenates.
    """
    return np.array([word.encode().decode("latin-1") for word in words], dtype=object)


class SongCatalogue:
    """Songs numbered from 0, the most popular first.

    The chance of song k is proportional to (k + offset) ** -exponent (Zipf-Mandelbrot). Its
    continuous form maps a uniform number to a song without a table.
    """

    def __init__(self, parameters: SimulationParameters) -> None:
        self._parameters = parameters
        self._offset = parameters.song_popularity_offset
        self._power = 1 - parameters.song_popularity_exponent
        self._first = self._offset**self._power
        self._span = (parameters.songs + self._offset) ** self._power - self._first
        self._last_song = parameters.songs - 1
        spread = math.log1p((parameters.song_seconds_sd / parameters.song_seconds_mean) ** 2)
        median = parameters.song_seconds_mean / math.exp(spread / 2)
        standard_normal = self._create_random("lengths").standard_normal(parameters.songs)
        lengths = median * np.exp(math.sqrt(spread) * standard_normal)
        self.length_seconds: list[float] = np.round(lengths, 5).tolist()

    def _create_random(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self._parameters.seed, *purpose.encode()])

    def draw(self, uniform: float) -> int:
        """Return the song for a uniform number from [0, 1)."""
        position = (self._first + uniform * self._span) ** (1 / self._power)
        return min(int(position - self._offset), self._last_song)

    def build_table(self) -> pd.DataFrame:
        """Return one row per song: `song_number`, `artist`, `song` and `length` in seconds."""
        count, artists = self._parameters.songs, self._make_artists()
        random = self._create_random("titles")
        adjectives, nouns = (encode_twice(read_words()[name]) for name in ("adjectives", "nouns"))
        phrases = random.choice(adjectives, count) + " " + random.choice(nouns, count)
        plain = random.choice(TITLE_OPENINGS, count) + phrases
        long = random.choice(nouns, count) + " of the " + phrases
        titles = np.where(random.random(count) < LONG_TITLE_SHARE, long, plain)
        # An artist's number of songs does not depend on the popularity of the songs.
        skew = 1 / (1 - self._parameters.artist_size_exponent)
        artist_numbers = (len(artists) * random.random(count) ** skew).astype(int)
        return pd.DataFrame(
            {
                "song_number": np.arange(count),
                "artist": artists[artist_numbers],
                "song": titles + random.choice(TITLE_SUFFIXES, count),
                "length": self.length_seconds,
            }
        )

    def _make_artists(self) -> Words:
        count, random = self._parameters.artists, self._create_random("artists")
        words = {name: encode_twice(each) for name, each in read_words().items()}

        def draw(name: str) -> Words:
            return random.choice(words[name], count)

        people = draw("artist_names") + " " + draw("nouns") + "s"
        bands = "The " + draw("adjectives") + " " + draw("nouns")
        duos = people + " & " + draw("artist_names")
        names = np.choose(random.integers(0, 3, count), [people, bands, duos])
        repeated = pd.Series(names).duplicated().to_numpy()
        return np.where(repeated, names + " " + np.arange(count).astype(str), names)
