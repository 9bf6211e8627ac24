from typing import Any

import pytest

from sparkify.hooks.package_versions import read_package_versions
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.scoring.compatibility import ModelMismatchError, require_compatible

VERSIONS = read_package_versions()


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


def test_a_compatible_model_logs_nothing(
    card: dict[str, Any], settings: FeatureEngineeringParameters, logged: pytest.LogCaptureFixture
) -> None:
    require_compatible(card, settings, VERSIONS)
    assert not logged.records


def test_missing_columns_are_named(
    card: dict[str, Any], settings: FeatureEngineeringParameters
) -> None:
    other = {**card, "features": ["next_song", "songs_of_ads", "is_paid", "adverts_7d"]}
    with pytest.raises(ModelMismatchError, match=r"not have: songs_of_ads, adverts_7d\. Set"):
        require_compatible(other, settings, VERSIONS)


@pytest.mark.parametrize("change", [{"outcome": "either"}, {"horizon_days": 20}])
def test_another_prediction_task_is_an_error(
    card: dict[str, Any], settings: FeatureEngineeringParameters, change: dict[str, Any]
) -> None:
    other = settings.model_copy(update=change)
    message = (
        f"predicts 'cancellation' within 10 days; the parameters ask for '{other.outcome}' "
        f"within {other.horizon_days} days"
    )
    with pytest.raises(ModelMismatchError, match=message):
        require_compatible(card, other, VERSIONS)


def test_a_model_without_a_card_is_an_error(settings: FeatureEngineeringParameters) -> None:
    with pytest.raises(ModelMismatchError, match="its model card has no f1_threshold, features"):
        require_compatible({}, settings, VERSIONS)


@pytest.mark.parametrize("field", ["f1_threshold", "prediction_task"])
def test_a_model_of_another_version_is_an_error(
    field: str, card: dict[str, Any], settings: FeatureEngineeringParameters
) -> None:
    earlier = {name: value for name, value in card.items() if name != field}
    with pytest.raises(ModelMismatchError, match=f"another version.* no {field}. Train another"):
        require_compatible({**earlier, "question": {}}, settings, VERSIONS)


def test_a_model_without_a_curve_is_an_error(
    card: dict[str, Any], settings: FeatureEngineeringParameters
) -> None:
    earlier = {name: value for name, value in card.items() if name != "leaving_curve"}
    with pytest.raises(ModelMismatchError, match=r"card has no leaving_curve. Train another"):
        require_compatible(earlier, settings, VERSIONS)


def test_other_package_versions_are_a_warning(
    card: dict[str, Any], settings: FeatureEngineeringParameters, logged: pytest.LogCaptureFixture
) -> None:
    packages = {**card["packages"], "pyspark": "3.5.0", "gone": "1.0"}
    require_compatible({**card, "packages": packages}, settings, VERSIONS)
    (warning,) = logged.messages
    now = card["packages"]["pyspark"]
    assert warning.endswith(f": pyspark 3.5.0, now {now}; gone 1.0, now missing")


def test_a_model_of_inactivity_fits_one_definition_of_customers(
    card: dict[str, Any], settings: FeatureEngineeringParameters
) -> None:
    inactivity = settings.model_copy(update={"outcome": "inactivity"})
    other_card = {
        **card,
        "prediction_task": {**card["prediction_task"], **inactivity.prediction_task},
    }
    require_compatible(other_card, inactivity, VERSIONS)
    fewer = inactivity.model_copy(update={"active_within_days": 14})
    with pytest.raises(ModelMismatchError) as error:
        require_compatible(other_card, fewer, VERSIONS)
    assert str(error.value) == (
        "churn_model predicts 'inactivity' within 10 days of customers seen in the last 30 days; "
        "the parameters ask for 'inactivity' within 10 days of customers seen in the last 14 days "
        "(feature_engineering.outcome, feature_engineering.horizon_days, "
        "feature_engineering.active_within_days). Set them as they were, load another model with "
        "--load-versions, or train one with `kedro run`."
    )
    with pytest.raises(ModelMismatchError, match="ask for 'cancellation' within 10 days "):
        require_compatible(other_card, settings, VERSIONS)
