"""The sides of a split, training and hold-out; beyond a size each is a sample of users."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.spark.functions import collect_one_row, sample_users


class Side(NamedTuple):
    """One side of a split: labelled snapshots, their number, and how many churned."""

    snapshots: DataFrame
    rows: int
    churned: int


class Split(NamedTuple):
    """Training and hold-out."""

    training: Side
    holdout: Side

    def sample(self, modelling: ModellingParameters, max_customers: int) -> "Split":
        """Return at most about `max_training_rows` training rows and `max_customers` customers.

        Users are selected by hash, for each side independently, so that the hold-out has as many
        users without training rows as the whole log.
        """
        return Split(
            _sample_side(self.training, modelling.max_training_rows, "training", modelling.seed),
            _sample_side(self.holdout, max_customers, "holdout", modelling.seed),
        )

    def describe_samples(self, whole: "Split") -> dict[str, Any]:
        """Return `samples`: for each sampled side its `rows` and `of` how many; {} without any."""
        samples = {
            name: {"rows": side.rows, "of": whole_side.rows}
            for name, side, whole_side in zip(self._fields, self, whole, strict=True)
            if side.rows < whole_side.rows
        }
        return {"samples": samples} if samples else {}


def count_by_cutoff(labelled: DataFrame) -> dict[date, Row]:
    """Count `users`, `churned`, `trainable` and `trainable_churned` by cutoff, in order."""
    by_cutoff = labelled.groupBy("cutoff").agg(
        F.count("*").alias("users"),
        F.count_if("churned").alias("churned"),
        F.count_if("is_trainable").alias("trainable"),
        F.count_if(F.col("churned") & F.col("is_trainable")).alias("trainable_churned"),
    )
    return {row["cutoff"]: row for row in by_cutoff.orderBy("cutoff").collect()}


def split_at(
    labelled: DataFrame, counts: Mapping[date, Row], train_cutoffs: Sequence[date], cutoff: date
) -> Split:
    """Return the trainable users of earlier cutoffs as training, all users of a cutoff as hold-out.

    Args:
        labelled: snapshots with `is_trainable`.
        counts: as `count_by_cutoff` returns them.
        train_cutoffs: the cutoffs of the training.
        cutoff: the cutoff of the hold-out.
    """
    is_train = F.col("is_trainable") & F.col("cutoff").isin([*train_cutoffs])
    return Split(
        Side(
            labelled.where(is_train),
            sum(counts[day]["trainable"] for day in train_cutoffs),
            sum(counts[day]["trainable_churned"] for day in train_cutoffs),
        ),
        Side(
            labelled.where(F.col("cutoff") == F.lit(cutoff)),
            counts[cutoff]["users"],
            counts[cutoff]["churned"],
        ),
    )


def _sample_side(side: Side, max_rows: int, purpose: str, seed: int) -> Side:
    if side.rows <= max_rows:
        return side
    sample = sample_users(side.snapshots, max_rows, side.rows, purpose, seed)
    counts = sample.agg(F.count("*").alias("rows"), F.count_if("churned").alias("churned"))
    return Side(sample, *collect_one_row(counts))


def require_churners(
    split: Split, train_cutoffs: int, cutoff: object, modelling: ModellingParameters
) -> None:
    """Require enough churners in training and hold-out.

    Raises:
        TooLittleDataError: with the counts.
    """
    training, holdout = split
    if training.churned < modelling.min_train_churned or (
        holdout.churned < modelling.min_holdout_churned
    ):
        raise TooLittleDataError(
            f"{training.churned} churners in {training.rows} training snapshots of "
            f"{train_cutoffs} cutoffs, and {holdout.churned} among {holdout.rows} users on the "
            f"hold-out {cutoff}: too few to train and evaluate a model. At least "
            f"{modelling.min_train_churned} (modelling.min_train_churned) and "
            f"{modelling.min_holdout_churned} (modelling.min_holdout_churned) are required; use a "
            f"log of more users or days."
        )
