"""The model card: the last stage of every churn model, saved and loaded with it."""

import json
from datetime import date, timedelta
from typing import Any

from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.spark.checksums import count_and_hash_sum
from sparkify.spark.functions import collect_one_row

# Without one of these, a card is of another version of the project.
REQUIRED_FIELDS = (
    "f1_threshold",
    "features",
    "prediction_task",
    "source",
    "training",
    "leaving_curve",
)


class ModelCard(Transformer, DefaultParamsReadable["ModelCard"], DefaultParamsWritable):
    """A stage that changes no row; `card` is JSON that describes the model and its training."""

    card: "Param[str]" = Param(
        Params._dummy(),
        "card",
        "description of the model, as JSON",
        typeConverter=TypeConverters.toString,
    )

    def __init__(self, card: str = "{}") -> None:
        super().__init__()
        self._set(card=card)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return dataset


def add_card(model: PipelineModel, card: dict[str, Any]) -> PipelineModel:
    """Return the model with a card as its last stage."""
    return PipelineModel([*model.stages, ModelCard(json.dumps(card, allow_nan=False))])


def read_card(model: PipelineModel) -> dict[str, Any]:
    """Return the card of a model; empty if it has none."""
    cards = [stage for stage in model.stages if isinstance(stage, ModelCard)]
    card: dict[str, Any] = json.loads(cards[-1].getOrDefault("card")) if cards else {}
    return card


def find_missing_fields(card: dict[str, Any]) -> str:
    """Return the required fields that a card lacks, separated by commas; empty without any."""
    return ", ".join(name for name in REQUIRED_FIELDS if name not in card)


def is_same_model(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two cards describe one model: the same settings and training rows."""
    settings = ("label", "calibration", "f1_threshold", "source")
    is_same = all(one.get(name) == other.get(name) for name in settings)
    return is_same and one["training"]["fingerprint"] == other["training"]["fingerprint"]


def is_forecast(card: dict[str, Any], cutoff: date) -> bool:
    """Return whether all labels that a model was trained on end by the cutoff."""
    prediction_task = card["prediction_task"]
    last_cutoff = date.fromisoformat(max(prediction_task["train_cutoffs"]))
    return last_cutoff + timedelta(days=prediction_task["horizon_days"]) <= cutoff


def compute_fingerprint(rows: DataFrame) -> str:
    """Return a checksum of a table's content that does not depend on the order of its rows.

    It is the sum of 64-bit hashes of the rows, with the columns sorted by name, and the row count.
    """
    count, total = count_and_hash_sum(rows, F.xxhash64(*sorted(rows.columns)))
    return f"{total % 2**64:016x}-{count}"


def summarize_training(train: DataFrame) -> dict[str, Any]:
    """Summarise training rows: snapshots, users, churned, base rate, cutoffs, fingerprint."""
    counts = collect_one_row(
        train.agg(
            F.count("*").alias("snapshots"),
            F.count_distinct("user_id").alias("users"),
            F.count_if("churned").alias("churned"),
            F.min("cutoff").cast("string").alias("first_cutoff"),
            F.max("cutoff").cast("string").alias("last_cutoff"),
        )
    )
    summary = counts.asDict()
    base_rate = summary["churned"] / summary["snapshots"]
    return {**summary, "base_rate": base_rate, "fingerprint": compute_fingerprint(train)}
