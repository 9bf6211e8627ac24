"""The same kinds of model in scikit-learn: what the DuckDB and Polars peers end with."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.peers.settings import HORIZON

# The candidates of conf/base/parameters_modelling.yml, setting for setting.
CANDIDATES = {
    **{
        f"logistic regression, {strength}": make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, tol=1e-4, max_iter=100)
        )
        for strength in (1e-4, 1e-3)
    },
    **{
        f"random forest, depth {depth}": RandomForestClassifier(60, max_depth=depth, n_jobs=2)
        for depth in (3, 6)
    },
    "gradient-boosted trees": HistGradientBoostingClassifier(max_iter=15, max_depth=2),
}


def judge(features: pd.DataFrame) -> dict[str, float]:
    """Choose among the candidates by five folds of users, and judge the best on the hold-out."""
    holdout = features["cutoff"].max()
    train = features[features["cutoff"] <= holdout - timedelta(days=HORIZON)]
    test = features[features["cutoff"] == holdout]
    inputs = [c for c in features.columns if c not in ("user_id", "cutoff", "churned")]
    scores = {
        name: cross_val_score(
            model,
            train[inputs],
            train["churned"],
            groups=train["user_id"],
            cv=GroupKFold(5),
            scoring="average_precision",
        ).mean()
        for name, model in CANDIDATES.items()
    }
    champion = CANDIDATES[max(scores, key=lambda name: scores[name])]
    champion.fit(train[inputs], train["churned"])
    forecast = champion.predict_proba(test[inputs])[:, 1]
    return {
        "auc": float(roc_auc_score(test["churned"], forecast)),
        "average_precision": float(average_precision_score(test["churned"], forecast)),
    }


def judged(folder: Path) -> dict[str, float]:
    """Judge on the tables that a peer has written to its folder."""
    features = pd.read_parquet(folder / "features.parquet")
    labels = pd.read_parquet(folder / "snapshots.parquet")
    both = features.merge(labels, on=["user_id", "cutoff"])
    both["cutoff"] = pd.to_datetime(both["cutoff"])
    return judge(both)
