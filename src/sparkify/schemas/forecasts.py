"""What models learn from, and what they forecast."""

from collections.abc import Iterable, Mapping

from sparkify.schemas.customers import SNAPSHOTS, Features
from sparkify.schemas.kinds import FLAG, NUMBER, SMALL, TEXT
from sparkify.schemas.table import Column, Table

TRAINABLE = Column(
    "is_trainable", FLAG, "Whether the user is of those that models may learn from, by hash."
)


class ModelInput(Table):
    """One row per user and cutoff: the label, whether the user may be trained on, the features."""

    def __init__(
        self,
        pages: Mapping[str, str],
        by_level: Iterable[str],
        windowed: Iterable[str],
        windows_days: Iterable[int],
    ) -> None:
        """Define the table; arguments as for `Features`."""
        described = Features(pages, by_level, windowed, windows_days).definition[2:]
        definition = (*SNAPSHOTS.definition, TRAINABLE, *described)
        super().__init__("One row per user and cutoff.", definition)


class Predictions(Table):
    """One row per user and cutoff: what was forecast, and what happened."""

    def __init__(self, baselines: Mapping[str, str]) -> None:
        """Define the table.

        Args:
            baselines: the features that rank without a model, by the baseline's name.
        """
        super().__init__(
            "One row per user and cutoff.",
            (
                *SNAPSHOTS.definition,
                TRAINABLE,
                Column("probability", NUMBER, "Forecast probability of `churned`, calibrated."),
                *(
                    Column(f"baseline_{name}", NUMBER, f"Baseline: {column}.")
                    for name, column in baselines.items()
                ),
            ),
        )


OUT_OF_FOLD_PREDICTIONS = Table(
    "One row per trial, repeat, user and cutoff of training.",
    (
        Column("trial", SMALL, "Position in the list of candidates and settings, from 0."),
        Column("candidate", TEXT, "The candidate with its settings."),
        Column("repeat", SMALL, "Repeat of the cross-validation, from 0."),
        Column("fold", SMALL, "Fold in which the user was held out, from 0."),
        *SNAPSHOTS.definition,
        Column("probability", NUMBER, "Forecast probability of `churned`, not calibrated."),
    ),
)

CANDIDATE_PREDICTIONS = Table(
    "One row per candidate, user and cutoff.",
    (
        *SNAPSHOTS.definition,
        Column("candidate", TEXT, "The candidate, with the best of its settings."),
        Column("probability", NUMBER, "Its forecast probability of `churned`, not calibrated."),
    ),
)
