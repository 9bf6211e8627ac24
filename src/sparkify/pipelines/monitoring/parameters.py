"""Parameters of the monitoring pipeline."""

from pydantic import Field, PositiveInt

from sparkify.schemas.parameters import Parameters, Share


class MonitoringParameters(Parameters):
    """When a change is an alarm, and whether an alarm fails the run; `monitoring` in conf/."""

    false_alarms: Share
    psi: float = Field(gt=0)
    psi_bins: int = Field(ge=2)
    volume_ratio: float = Field(gt=1)
    quiet_day_share: float = Field(ge=0, lt=1)
    unseen_page_share: float = Field(ge=0, lt=1)
    rejected_share_rise: float = Field(gt=0, lt=1)
    realised_cutoffs: PositiveInt
    churn_ratio: float = Field(gt=1)
    fail_on_alarm: bool
