"""Parameters of the comparison with the seed project."""

from pydantic import Field

from sparkify.schemas.parameters import Parameters


class PublishedResult(Parameters):
    """A model's results as its project published them; one row of `seed_comparison`."""

    project: str
    model: str
    auc: float = Field(ge=0, le=1)
    weighted_precision: float = Field(ge=0, le=1)
    weighted_recall: float = Field(ge=0, le=1)
    weighted_f1: float = Field(ge=0, le=1)
    accuracy: float = Field(ge=0, le=1)
    churn_precision: float = Field(ge=0, le=1)
    churn_recall: float = Field(ge=0, le=1)
    churn_f1: float = Field(ge=0, le=1)


class SeedProjectParameters(Parameters):
    """The results to compare with; `retrospective.seed_project` in conf/."""

    published: tuple[PublishedResult, ...]
