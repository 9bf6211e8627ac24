import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pytest
from kedro.io.core import DatasetError
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.datasets.log_headers import read_schemas
from sparkify.datasets.log_records import LogReader
from sparkify.log_formats.files import Header

MALFORMED = "malformed row"
NAN = float("nan")
MOMENT = datetime(2018, 10, 1, 0, 1, 57, 123456, UTC)
LOCAL_MOMENT = MOMENT.replace(tzinfo=None)


def collect(loaded: DataFrame) -> list[tuple[Any, ...]]:
    assert loaded.columns == ["value", "file", "problem"]
    return sorted(tuple(row) for row in loaded.collect())


def read_rows(folder: Path, content: bytes, *names: str, delimiter: str = ",") -> Any:
    (folder / "log.csv").write_bytes(content)
    loaded = LogReader(None, {}).read_rows([f"file://{folder}/log.csv"], Header(names, delimiter))
    assert {file for _, file, _ in collect(loaded)} <= {"log.csv"}
    return [(row["value"], row["problem"]) for row in loaded.collect()]


@pytest.mark.parametrize(
    ("content", "delimiter", "records"),
    [
        (b"a,b\n1,x\n", ",", [{"a": "1", "b": "x"}]),
        (b"a;b\n1;x,y\n", ";", [{"a": "1", "b": "x,y"}]),
        (b"a\tb\n1\tx y\n", "\t", [{"a": "1", "b": "x y"}]),
        (b'a,b\n"1","x, ""y"""\n', ",", [{"a": "1", "b": 'x, "y"'}]),
        (b'a,b\n1,C:\\"\n', ",", [{"a": "1", "b": 'C:\\"'}]),
        (b'a,b\n1,\n,x\n"",x\n,\n', ",", [{"a": "1"}, {"b": "x"}, {"b": "x"}, {}]),
        (b"a,b\r\n1,x\r\n\r\n2,y", ",", [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]),
        (b"\xef\xbb\xbfa,b\n1,x\n", ",", [{"a": "1", "b": "x"}]),
        (b"\n\na,b\n1,x\n", ",", [{"a": "1", "b": "x"}]),
        (b"a,b\n 1 ,#x\n", ",", [{"a": " 1 ", "b": "#x"}]),
        ("a,b\n1,Björk\n".encode(), ",", [{"a": "1", "b": "Björk"}]),
        (b"a,b\n1,\xff\n", ",", [{"a": "1", "b": "\ufffd"}]),
        (b"a,b\n", ",", []),
        (b"a,b", ",", []),
        (b"a,b\na,b\n", ",", [{"a": "a", "b": "b"}]),
        (b"a,b\n007,1e400\n", ",", [{"a": "007", "b": "1e400"}]),
    ],
)
def test_a_row_of_separated_values_becomes_a_record_of_texts(
    spark: SparkSession, tmp_path: Path, content: bytes, delimiter: str, records: list[Any]
) -> None:
    read = read_rows(tmp_path, content, "a", "b", delimiter=delimiter)
    assert [(json.loads(value), problem) for value, problem in read] == [
        (record, None) for record in records
    ]


def test_rows_of_the_wrong_length_are_malformed(spark: SparkSession, tmp_path: Path) -> None:
    content = b'a,b\n1\n1,2\n1,2,3\n"1,2\n1,2,\n'
    malformed = [("1", MALFORMED), ("1,2,3", MALFORMED), ('"1,2', MALFORMED), ("1,2,", MALFORMED)]
    read = read_rows(tmp_path, content, "a", "b")
    assert [row for row in read if row[1]] == malformed
    assert len(read) == 5


def test_problems_can_be_counted_without_values(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b"a,b\n1\n1,2\n,\n1,2,3\n")
    loaded = LogReader(None, {}).read_rows([f"file://{tmp_path}"], Header(("a", "b"), ","))
    counted = loaded.groupBy("file", "problem").count().collect()
    assert sorted(map(tuple, counted), key=str) == [
        ("log.csv", MALFORMED, 2),
        ("log.csv", None, 2),
    ]
    assert loaded.count() == 4


@pytest.mark.parametrize(
    "names",
    [
        ("a.b", "c`d"),
        ("page", "Page"),
        ("malformed", "_metadata"),
        ("value", "file"),
        ("1", "0"),
        ('"', "\\"),
    ],
)
def test_columns_may_have_any_name(
    spark: SparkSession, tmp_path: Path, names: tuple[str, str]
) -> None:
    ((value, problem),) = read_rows(tmp_path, b"header,here\n1,2\n", *names)
    assert json.loads(value) == dict(zip(names, "12", strict=True))
    assert problem is None


def read_values(folder: Path, *contents: bytes) -> list[tuple[Any, ...]]:
    for number, content in enumerate(contents):
        (folder / f"{number}.json").write_bytes(content)
    return collect(LogReader(str(folder), {}).read_values([f"file://{folder}"]))


def test_arrays_are_read_file_by_file(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = json.dumps([{"n": number} for number in range(10_001)]).encode()
    records = read_values(tmp_path, large, b"[]", b'\xef\xbb\xbf[{"a":1}]', b'{"a":2}\n{"a')
    assert [row for row in records if row[1] != "0.json"] == [
        ('{"a', "3.json", None),
        ('{"a":1}', "2.json", None),
        ('{"a":2}', "3.json", None),
    ]
    numbers = [json.loads(value)["n"] for value, file, _ in records if file == "0.json"]
    assert sorted(numbers) == list(range(10_001))


def test_bytes_that_are_not_utf_8_do_not_affect_other_records(
    spark: SparkSession, tmp_path: Path
) -> None:
    records = read_values(tmp_path, b'[{"a":"\xff"},{"a":"\xc3\xbc"}]')
    assert records == [('{"a":"ü"}', "0.json", None), ('{"a":"\ufffd"}', "0.json", None)]


def read_tables(folder: Path, *tables: pa.Table) -> list[Any]:
    folder.mkdir(exist_ok=True)
    for number, table in enumerate(tables):
        parquet.write_table(table, folder / f"{number}.parquet")
    return read_folder(folder)


def read_folder(folder: Path) -> list[Any]:
    paths = sorted(str(path) for path in folder.glob("*.parquet"))
    schemas = read_schemas(fsspec.filesystem("file"), paths)
    loaded = LogReader(str(folder), {}).read_table([f"file://{path}" for path in paths], schemas)
    rows = collect(loaded)
    assert all(problem is None for *_, problem in rows)
    return [json.loads(value, parse_float=str) for value, *_ in rows]


ZULU, NO_ZONE = "2018-10-01T00:01:57.123456Z", "2018-10-01T00:01:57.123456"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([MOMENT], pa.timestamp("us", "UTC")), ZULU),
        (pa.array([MOMENT], pa.timestamp("us", "Europe/Berlin")), ZULU),
        (pa.array([MOMENT], pa.timestamp("ns", "UTC")), ZULU),
        (pa.array([MOMENT], pa.timestamp("ns", "America/New_York")), ZULU),
        (pa.array([LOCAL_MOMENT], pa.timestamp("us")), NO_ZONE),
        (pa.array([LOCAL_MOMENT], pa.timestamp("ns")), NO_ZONE),
        (pa.array([1538352117123], pa.timestamp("ms")), "2018-10-01T00:01:57.123000"),
        (pa.array([1538352117123456789]), 1538352117123456789),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        (pa.array([-(2**63)]), -(2**63)),
        (pa.array([Decimal("12345678901234567890.10")]), "12345678901234567890.10"),
        (pa.array([277.89016]), "277.89016"),
        (pa.array([0.1], pa.float32()), "0.1"),
        (pa.array([True]), True),
        (pa.array(['Björk " \\ \n']), 'Björk " \\ \n'),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([[1, 2]]), [1, 2]),
        (pa.array([{"page": "Home", "n": {"m": 1}}]), {"page": "Home", "n": {"m": 1}}),
        (pa.array([{"x": NAN, "y": None, "z": 1}]), {"z": 1}),
        (pa.array([[1.5, NAN]]), ["1.5", None]),
        (pa.array([[{"x": NAN, "z": 1}]]), [{"z": 1}]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), {"k": 1}),
    ],
)
def test_parquet_values_become_json_values(
    spark: SparkSession, tmp_path: Path, column: pa.Array, expected: object
) -> None:
    assert read_tables(tmp_path, pa.table({"x": column})) == [{"x": expected}]


def test_nan_and_null_are_left_out(spark: SparkSession, tmp_path: Path) -> None:
    columns = {"x": [NAN, None, 1.0], "y": pa.array([NAN, 1.0, None], pa.float32()), "n": [1, 2, 3]}
    records = read_tables(tmp_path, pa.table(columns))
    assert records == [{"n": 1}, {"x": "1.0", "n": 3}, {"y": "1.0", "n": 2}]


def test_null_structs_are_left_out(spark: SparkSession, tmp_path: Path) -> None:
    records = read_tables(tmp_path, pa.table({"x": [{"y": 1.5}, None], "n": [1, 2]}))
    assert records == [{"n": 2}, {"x": {"y": "1.5"}, "n": 1}]


def test_parquet_columns_may_have_any_name(spark: SparkSession, tmp_path: Path) -> None:
    names = ["a.b", "c`d", "value", "file", "_metadata", "with blank", "größe", "a,b;{}()="]
    record = {name: number for number, name in enumerate(names)}
    assert read_tables(tmp_path, pa.Table.from_pylist([record])) == [record]


def test_columns_of_only_some_files_are_kept(spark: SparkSession, tmp_path: Path) -> None:
    tables = [pa.table({"a": [1]}), pa.table({"b": ["x"], "a": [2]}), pa.table({"c": [{"d": 1}]})]
    assert read_tables(tmp_path, *tables) == [{"a": 1}, {"a": 2, "b": "x"}, {"c": {"d": 1}}]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            {"a": [1]},
            {"a": ["1"]},
            r"column a is int64 in \S+/0\.parquet and string in \S+/1\.parquet",
        ),
        ({"a": [1]}, {"a": pa.array([1], pa.int32())}, r"column a is int64 in .* and int32 in"),
        ({"a": [1], "b": [1]}, {"a": [1], "b": [1.0]}, r"column b is int64 in .* and double in"),
        (
            {"a": pa.array([MOMENT], pa.timestamp("us", "UTC"))},
            {"a": [1]},
            r"column a is timestamp\[",
        ),
        (
            {"a": pa.array([MOMENT], pa.timestamp("ns", "UTC"))},
            {"a": pa.array([MOMENT], pa.timestamp("us", "UTC"))},
            r"column a is timestamp\[ns, tz=UTC\] in .* and timestamp\[us, tz=UTC\] in",
        ),
    ],
)
def test_the_error_for_columns_of_different_types_names_the_files(
    spark: SparkSession, tmp_path: Path, first: Any, second: Any, message: str
) -> None:
    with pytest.raises(DatasetError, match=message) as error:
        read_tables(tmp_path, pa.table(first), pa.table(second))
    assert str(error.value).endswith("Write all files with the same types.")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": [1], "A": [2]}),
        pa.table({"a": pa.array([1], pa.time64("us"))}),
    ],
    ids=["names that differ in case", "times of day"],
)
def test_the_error_for_parquet_that_spark_cannot_read_is_one_line(
    spark: SparkSession, tmp_path: Path, table: pa.Table
) -> None:
    with pytest.raises(DatasetError) as error:
        read_tables(tmp_path, table)
    assert "the event log's Parquet cannot be read (" in str(error.value)
    assert f"{tmp_path}/0.parquet" in str(error.value)
    assert "\n" not in str(error.value)


def test_parquet_folders_of_spark_and_pandas_are_read(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.sql("select 1L as n, timestamp'2018-10-01 00:01:57.123456' as ts, null as x")
    rows.select("n", "ts", F.col("x").cast("double")).write.parquet(f"{tmp_path}/spark")
    assert (tmp_path / "spark" / "_SUCCESS").exists()
    assert read_folder(tmp_path / "spark") == [{"n": 1, "ts": ZULU}]
    (tmp_path / "pandas").mkdir()
    frame = pd.DataFrame({"n": [1, 2], "ts": pd.to_datetime([MOMENT, None]), "x": [NAN, 1.5]})
    frame.to_parquet(tmp_path / "pandas" / "0.parquet")
    frame.set_index("n").to_parquet(tmp_path / "pandas" / "1.parquet")
    assert (
        read_folder(tmp_path / "pandas") == [{"n": 1, "ts": ZULU}] * 2 + [{"n": 2, "x": "1.5"}] * 2
    )
