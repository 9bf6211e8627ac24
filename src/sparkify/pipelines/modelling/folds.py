"""Assign users to training and folds by hash; check that each has enough churners."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError
from sparkify.errors.parameter_errors import format_wrong_value
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.spark.functions import collect_one_row, is_in_share


def is_trainable(modelling: ModellingParameters) -> Column:
    """Return whether a row's user may be in training; a share of users, by hash, is held out."""
    hashed = F.xxhash64("user_id", F.lit("unseen"), F.lit(modelling.seed))
    return ~is_in_share(hashed, modelling.held_out_user_share)


def assign_fold(repeat: int, parameters: ModellingParameters) -> Column:
    """Return the fold of a row's user, by hash; each repeat divides the users differently."""
    hashed = F.xxhash64("user_id", F.lit("fold"), F.lit(parameters.seed), F.lit(repeat))
    return F.pmod(hashed, F.lit(parameters.folds)).cast("int")


def require_trainable_and_unseen(
    users: int, trainable: int, modelling: ModellingParameters
) -> None:
    """Raise a TooLittleDataError if training has none or all of the hold-out's users."""
    if trainable in (0, users):
        allowed = (
            f"a share that keeps some, but not all, of the {users:,} hold-out users out of "
            f"training (now {trainable:,} of them are in training); or use a log of more users"
        )
        raise TooLittleDataError(
            format_wrong_value(
                "modelling.held_out_user_share", modelling.held_out_user_share, allowed
            )
        )


def require_churners_in_folds(train: DataFrame, modelling: ModellingParameters) -> None:
    """Raise a TooLittleDataError unless the training rows of each fold have churners."""
    repeats = range(modelling.fold_repeats)
    churners = train.where("churned").agg(
        F.count_distinct("user_id").alias("users"),
        *(
            F.count_distinct(assign_fold(repeat, modelling)).alias(str(repeat))
            for repeat in repeats
        ),
    )
    counts = collect_one_row(churners)
    require_folds("modelling.folds", modelling.folds, counts["users"])
    if min(counts[str(repeat)] for repeat in repeats) < 2:
        raise TooLittleDataError(
            f"modelling.folds: all {counts['users']:,} training users who churned are in the same "
            f"fold: the other folds have no churner. Set another modelling.seed, or use a "
            f"log of more users or days."
        )


def require_folds(parameter: str, folds: int, churners: int) -> None:
    """Raise a TooLittleDataError if fewer users churned than there are folds."""
    if folds > churners:
        allowed = f"at most {churners:,}, the users who churned; or use a log of more users or days"
        raise TooLittleDataError(format_wrong_value(parameter, folds, allowed))
