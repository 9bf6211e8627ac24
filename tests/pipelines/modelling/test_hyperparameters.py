from sparkify.pipelines.modelling.hyperparameters import ESTIMATORS, list_hyperparameters


def test_settings_have_the_types_that_the_library_states() -> None:
    assert list_hyperparameters("random_forest") == {
        "checkpointInterval": int,
        "maxBins": int,
        "maxDepth": int,
        "maxMemoryInMB": int,
        "minInfoGain": float,
        "minInstancesPerNode": int,
        "minWeightFractionPerNode": float,
        "numTrees": int,
        "subsamplingRate": float,
    }
    xgboost = list_hyperparameters("xgboost")
    assert xgboost["max_depth"] is int
    assert xgboost["learning_rate"] is float
    assert list_hyperparameters("logistic_regression")["regParam"] is float


def test_what_the_project_sets_is_not_a_setting() -> None:
    fixed = {"seed", "random_state", "n_jobs", "labelCol", "verbosity", "standardization"}
    assert not fixed & {
        name for candidate in ESTIMATORS for name in list_hyperparameters(candidate)
    }
