from pyspark.sql import SparkSession

from sparkify.collecting import collect_one_row, collected


def test_rows_come_in_order_whatever_their_partitions(spark: SparkSession) -> None:
    rows = [("b", 1), ("a", 2), ("é", 1), ("a", 1), ("10", 3), ("9", 3)]
    frame = spark.createDataFrame(rows, "name string, place int").repartition(3)
    ordered = collected(frame, "name", "place")
    assert list(ordered.itertuples(name=None)) == [
        (0, "10", 3),
        (1, "9", 3),
        (2, "a", 1),
        (3, "a", 2),
        (4, "b", 1),
        (5, "é", 1),
    ]
    in_spark = [tuple(row) for row in frame.orderBy("name", "place").collect()]
    assert list(ordered.itertuples(name=None, index=False)) == in_spark


def test_an_aggregate_without_keys_has_one_row(spark: SparkSession) -> None:
    for rows in (0, 3):
        (count,) = collect_one_row(spark.range(rows).selectExpr("count(*)"))
        assert count == rows
