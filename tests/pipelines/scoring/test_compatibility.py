from typing import Any

import pytest

from sparkify.hooks.package_versions import read_package_versions
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.scoring.compatibility import (
    ModelMismatchError,
    require_compatible,
)

VERSIONS = read_package_versions()


@pytest.fixture(scope="module")
def asked(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


def test_a_model_that_fits_is_taken_without_a_word(
    card: dict[str, Any], asked: FeatureEngineeringParameters, told: pytest.LogCaptureFixture
) -> None:
    require_compatible(card, [*card["features"], "more"], asked, VERSIONS)
    assert not told.records


def test_columns_that_the_features_lack_are_named(
    card: dict[str, Any], asked: FeatureEngineeringParameters
) -> None:
    with pytest.raises(ModelMismatchError, match=r"does not have: next_song, is_paid\. Set"):
        require_compatible(
            card, ["thumbs_up", "days_since_last_seen"], asked, read_package_versions()
        )


@pytest.mark.parametrize("change", [{"outcome": "either"}, {"horizon_days": 20}])
def test_another_question_is_refused(
    card: dict[str, Any], asked: FeatureEngineeringParameters, change: dict[str, Any]
) -> None:
    other = asked.model_copy(update=change)
    message = (
        f"forecasts 'cancellation' within 10 days; the parameters ask for '{other.outcome}' "
        f"within {other.horizon_days} days"
    )
    with pytest.raises(ModelMismatchError, match=message):
        require_compatible(card, card["features"], other, VERSIONS)


def test_a_model_without_a_card_is_refused(asked: FeatureEngineeringParameters) -> None:
    with pytest.raises(ModelMismatchError, match="has no card"):
        require_compatible({}, ["next_song"], asked, VERSIONS)


def test_a_model_that_decides_by_a_threshold_of_its_own_is_refused(
    card: dict[str, Any], asked: FeatureEngineeringParameters
) -> None:
    earlier = {name: what for name, what in card.items() if name != "f1_threshold"}
    with pytest.raises(ModelMismatchError, match=r"earlier version.* Train another with `kedro"):
        require_compatible(
            {**earlier, "threshold": 0.3}, card["features"], asked, read_package_versions()
        )


def test_other_versions_of_packages_are_a_warning(
    card: dict[str, Any], asked: FeatureEngineeringParameters, told: pytest.LogCaptureFixture
) -> None:
    packages = {**card["packages"], "pyspark": "3.5.0", "gone": "1.0"}
    require_compatible(
        {**card, "packages": packages}, card["features"], asked, read_package_versions()
    )
    (warning,) = told.messages
    now = card["packages"]["pyspark"]
    assert warning.endswith(f": pyspark 3.5.0, now {now}; gone 1.0, now missing")


def test_a_model_of_inactivity_fits_one_choice_of_customers(
    card: dict[str, Any], asked: FeatureEngineeringParameters
) -> None:
    inactivity = asked.model_copy(update={"outcome": "inactivity"})
    own = {**card, "question": {**card["question"], **inactivity.prediction_task}}
    require_compatible(own, card["features"], inactivity, VERSIONS)
    fewer = inactivity.model_copy(update={"active_within_days": 14})
    with pytest.raises(ModelMismatchError) as told:
        require_compatible(own, card["features"], fewer, VERSIONS)
    assert str(told.value) == (
        "churn_model forecasts 'inactivity' within 10 days of customers seen in the last 30 days; "
        "the parameters ask for 'inactivity' within 10 days of customers seen in the last 14 days "
        "(feature_engineering.outcome, feature_engineering.horizon_days, "
        "feature_engineering.active_within_days). Set them as they were, load another model with "
        "--load-versions, or train one with `kedro run`."
    )
    with pytest.raises(ModelMismatchError, match="ask for 'cancellation' within 10 days "):
        require_compatible(own, card["features"], asked, VERSIONS)
