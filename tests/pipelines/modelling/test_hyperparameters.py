from sparkify.pipelines.modelling.hyperparameters import ESTIMATORS, list_hyperparameters


def test_settings_have_the_types_of_the_library() -> None:
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


def test_parameters_that_the_project_sets_are_not_settings() -> None:
    fixed = {"seed", "random_state", "n_jobs", "labelCol", "verbosity", "standardization"}
    assert not fixed & {
        name for candidate in ESTIMATORS for name in list_hyperparameters(candidate)
    }
