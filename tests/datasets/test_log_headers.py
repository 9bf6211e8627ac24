import bz2
import gzip
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from kedro.io.core import DatasetError
from pyarrow import parquet

from sparkify.datasets.log_files import list_files, list_states
from sparkify.datasets.log_headers import (
    describe_conflict,
    group_by_header,
    list_nanosecond_columns,
    read_schemas,
)

LOCAL = fsspec.filesystem("file")


def read_headers(folder: Path, **files: bytes) -> dict[tuple[tuple[str, ...], str], list[str]]:
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    grouped = group_by_header(
        LOCAL, list_files(LOCAL, str(folder), "auto", list_states(LOCAL, str(folder)))
    )
    return {
        tuple(header): sorted(Path(path).name for path in paths)
        for header, paths in grouped.items()
    }


@pytest.mark.parametrize(
    ("content", "names", "delimiter"),
    [
        (b"ts,userId\n1,2\n", ("ts", "userId"), ","),
        (b"ts;userId\r\n1;2\r\n", ("ts", "userId"), ";"),
        (b"ts|userId\r1|2\r", ("ts", "userId"), "|"),
        (b"ts\tuserId\n", ("ts", "userId"), "\t"),
        (b"\xef\xbb\xbfts,userId", ("ts", "userId"), ","),
        (b"\xef\xbb\xbf\r\n \r\nts,userId", ("ts", "userId"), ","),
        (b'"ts","user ""Id"""\n', ("ts", 'user "Id"'), ","),
        (b'"a,b,c,d";"ts"\n', ("a,b,c,d", "ts"), ";"),
        (b"ts\n", ("ts",), ","),
        ("größe,a.b,c`d\n".encode(), ("größe", "a.b", "c`d"), ","),
        (b"gr\xf6\xdfe,ts\n", ("gr\ufffd\ufffde", "ts"), ","),
    ],
)
def test_a_header_is_parsed(
    tmp_path: Path, content: bytes, names: tuple[str, ...], delimiter: str
) -> None:
    assert read_headers(tmp_path, log__csv=content) == {(names, delimiter): ["log.csv"]}


def test_a_tsv_is_separated_only_by_tabs(tmp_path: Path) -> None:
    assert read_headers(tmp_path, log__tsv=b"a,b,c\tts\n") == {(("a,b,c", "ts"), "\t"): ["log.tsv"]}


def test_files_are_grouped_by_their_headers(tmp_path: Path) -> None:
    long = b",".join(b"column %d" % number for number in range(1_000)) + b"\n"
    headers = read_headers(
        tmp_path,
        a__csv=b"ts,userId\n",
        b__csv__gz=gzip.compress(b"ts,userId\n1,2\n", mtime=0),
        c__csv__bz2=bz2.compress(b"userId,ts\n"),
        d__csv=long,
        e__csv__gz=gzip.compress(long, mtime=0),
        f__csv=b"\n \n",
        g__csv__gz=gzip.compress(b"", mtime=0),
    )
    assert headers == {
        (("ts", "userId"), ","): ["a.csv", "b.csv.gz"],
        (("userId", "ts"), ","): ["c.csv.bz2"],
        (tuple(f"column {number}" for number in range(1_000)), ","): ["d.csv", "e.csv.gz"],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ts,userId,ts\n", "names column ts twice. Give each column a different name."),
        (b"ts,,page\n", "has no name for column 2. Give each column a different name."),
        (b"ts,page,\n", "has no name for column 3. Give each column a different name."),
    ],
)
def test_a_header_with_duplicate_or_missing_names_is_an_error(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(DatasetError) as error:
        read_headers(tmp_path, log__csv=content)
    assert f"the header of the event log's file {tmp_path}/log.csv {message}" in str(error.value)


def test_the_error_for_a_damaged_csv_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"log\.csv\.gz cannot be read .* It is cut off or"):
        read_headers(tmp_path, log__csv__gz=gzip.compress(b"ts,userId\n" * 9, mtime=0)[:14])


def write_tables(folder: Path, *tables: pa.Table) -> list[str]:
    paths = [str(folder / f"{number}.parquet") for number in range(len(tables))]
    for path, table in zip(paths, tables, strict=True):
        parquet.write_table(table, path)
    return paths


def test_distinct_schemas_are_listed_with_their_first_file(tmp_path: Path) -> None:
    ints, texts = pa.table({"a": [1]}), pa.table({"a": ["1"]})
    paths = write_tables(tmp_path, ints, texts, ints)
    schemas = read_schemas(LOCAL, paths)
    assert schemas == {ints.schema: paths[0], texts.schema: paths[1]}
    assert describe_conflict(schemas) == (
        f"column a is int64 in {paths[0]} and string in {paths[1]}"
    )


def test_all_arrow_types_for_text_are_one_type(tmp_path: Path) -> None:
    texts = pa.array(["x"])
    kinds = [texts, texts.cast(pa.large_string()), texts.dictionary_encode()]
    paths = write_tables(tmp_path, *(pa.table({"a": kind}) for kind in kinds))
    assert describe_conflict(read_schemas(LOCAL, paths)) is None


def test_the_error_for_parquet_without_a_footer_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "cut.parquet").write_bytes(b"PAR1" + bytes(99))
    with pytest.raises(
        DatasetError, match=r"cut\.parquet has no readable schema\..* replace it with a complete"
    ):
        read_schemas(LOCAL, [str(tmp_path / "cut.parquet")])


def test_nanosecond_columns_are_listed_with_whether_they_are_utc() -> None:
    kinds = {"a": ("ns", "UTC"), "b": ("ns", None), "c": ("us", "UTC"), "d": ("ms", None)}
    schema = pa.schema([(name, pa.timestamp(*kind)) for name, kind in kinds.items()])
    assert list_nanosecond_columns([pa.schema([("x", pa.int64())]), schema]) == {
        "a": True,
        "b": False,
    }
