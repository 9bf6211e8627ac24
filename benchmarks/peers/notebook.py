"""A notebook in plain Spark, like the published ones.

Inferred schema, no Parquet, 200 shuffle partitions, `CrossValidator` over logistic regression,
random forest and gradient-boosted trees with small grids. One row per user over the whole log
leaks the label: only the run time is of interest.
"""

from pathlib import Path

from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.peers.settings import CANCELLATION, PAGES, Phases, main


def users(log: Path, spark: SparkSession) -> DataFrame:
    """Return one row per user with counts over the whole log, and the label."""
    events = spark.read.json(str(log)).where("userId <> '' and registration is not null")
    return events.groupBy("userId").agg(
        F.max((F.col("page") == CANCELLATION).cast("int")).alias("label"),
        *(F.count_if(F.col("page") == page).alias(name) for name, page in PAGES.items()),
        F.countDistinct("sessionId").alias("sessions"),
        F.countDistinct("artist").alias("artists"),
        F.coalesce(F.sum("length"), F.lit(0.0)).alias("seconds"),
        F.max((F.col("level") == "paid").cast("int")).alias("ever_paid"),
        ((F.max("ts") - F.min("registration")) / 86_400_000).alias("days"),
    )


def run(log: Path, _folder: Path, phases: Phases) -> None:
    """Make features from the log and fit three models."""
    with phases.phase("features"):
        spark = (
            SparkSession.builder.master("local[*]")
            .config("spark.driver.memory", "12g")
            .config("spark.sql.shuffle.partitions", 200)
            .config("spark.ui.enabled", False)
            .config("spark.ui.showConsoleProgress", False)
            .getOrCreate()
        )
        features = users(log, spark)
        inputs = [name for name in features.columns if name not in ("userId", "label")]
        train, test = features.randomSplit([0.8, 0.2], seed=42)
        print(train.count(), test.count())
    with phases.phase("model"):
        logistic = LogisticRegression(maxIter=10)
        forest = RandomForestClassifier(seed=42)
        boosted = GBTClassifier(maxIter=10, seed=42)
        grids = {
            logistic: ParamGridBuilder().addGrid(logistic.regParam, [0.0, 0.1]),
            forest: ParamGridBuilder().addGrid(forest.numTrees, [10, 20]),
            boosted: ParamGridBuilder().addGrid(boosted.maxDepth, [3, 5]),
        }
        evaluator = MulticlassClassificationEvaluator(metricName="f1")
        for classifier, grid in grids.items():
            stages = [
                VectorAssembler(inputCols=inputs, outputCol="vector"),
                StandardScaler(inputCol="vector", outputCol="features"),
                classifier,
            ]
            search = CrossValidator(
                estimator=Pipeline(stages=stages),
                estimatorParamMaps=grid.build(),
                evaluator=evaluator,
                numFolds=3,
                seed=42,
            )
            f1 = evaluator.evaluate(search.fit(train).transform(test))
            print(type(classifier).__name__, f1, flush=True)


if __name__ == "__main__":
    main(run)
