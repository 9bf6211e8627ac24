from typing import get_args

from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters


def test_every_outcome_has_its_words() -> None:
    allowed = get_args(FeatureEngineeringParameters.model_fields["outcome"].annotation)
    assert set(OUTCOME_WORDS) == set(allowed)
    assert "cancel" not in " ".join(OUTCOME_WORDS["inactivity"])
