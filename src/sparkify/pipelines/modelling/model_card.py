"""What a model says of itself: the last stage of every churn model, saved and loaded with it."""

import json
import platform
from datetime import date, timedelta
from importlib.metadata import version
from typing import Any

from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.spark.checksums import count_and_hash_sum
from sparkify.spark.functions import collect_one_row

# Whose other versions may fit or forecast otherwise.
PACKAGES = ["pyspark", "xgboost-cpu", "scikit-learn", "numpy", "pandas"]


class ModelCard(Transformer, DefaultParamsReadable["ModelCard"], DefaultParamsWritable):
    """Changes no row; its `card` is JSON on what the model is and what it learnt from."""

    card: "Param[str]" = Param(
        Params._dummy(), "card", "what the model is, as JSON", typeConverter=TypeConverters.toString
    )

    def __init__(self, card: str = "{}") -> None:
        super().__init__()
        self._set(card=card)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return dataset


def with_card(model: PipelineModel, card: dict[str, Any]) -> PipelineModel:
    """Return a model that says of itself what `card` holds."""
    return PipelineModel([*model.stages, ModelCard(json.dumps(card, allow_nan=False))])


def card_of(model: PipelineModel) -> dict[str, Any]:
    """Return what a model says of itself; nothing where it has no card."""
    cards = [stage for stage in model.stages if isinstance(stage, ModelCard)]
    card: dict[str, Any] = json.loads(cards[-1].getOrDefault("card")) if cards else {}
    return card


def is_same_model(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two cards are of one model: the same settings, learnt from the same rows."""
    settings = ("label", "calibration", "f1_threshold", "source")
    is_same = all(one.get(name) == other.get(name) for name in settings)
    return is_same and one["training"]["fingerprint"] == other["training"]["fingerprint"]


def is_forecast(card: dict[str, Any], cutoff: date) -> bool:
    """Return whether a model has learnt from no label that ends after the cutoff."""
    question = card["question"]
    last = date.fromisoformat(max(question["train_cutoffs"]))
    return last + timedelta(days=question["horizon_days"]) <= cutoff


def installed_packages() -> dict[str, str]:
    """Return the versions of Python and of the packages that fit and forecast."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def fingerprint(rows: DataFrame) -> str:
    """Return what names the content of a table, whatever the order and the partitions of its rows.

    A sum of 64-bit hashes of the rows, each with its columns in the order of their names.
    """
    count, total = count_and_hash_sum(rows, F.xxhash64(*sorted(rows.columns)))
    return f"{total % 2**64:016x}-{count}"


def trained_on(train: DataFrame) -> dict[str, Any]:
    """Sum up training rows: snapshots, churned, base rate, first and last cutoff, fingerprint."""
    counts = collect_one_row(
        train.agg(
            F.count("*").alias("snapshots"),
            F.count_distinct("user_id").alias("users"),
            F.count_if("churned").alias("churned"),
            F.min("cutoff").cast("string").alias("first_cutoff"),
            F.max("cutoff").cast("string").alias("last_cutoff"),
        )
    )
    found = counts.asDict()
    base_rate = found["churned"] / found["snapshots"]
    return {**found, "base_rate": base_rate, "fingerprint": fingerprint(train)}
