"""What can be set about the search for a champion and its evaluation."""

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Setting = float | int


class ModellingParameters(BaseModel):
    """Candidates, folds and the evaluation; `modelling` in conf/."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    folds: int = Field(ge=2)
    candidates: dict[str, dict[str, list[Setting]] | None] = Field(min_length=1)
    parallel_fits: PositiveInt
    min_train_churned: PositiveInt
    min_holdout_churned: PositiveInt
    bootstrap_resamples: PositiveInt
    calibration_bins: PositiveInt
