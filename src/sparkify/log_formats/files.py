"""Check and parse files of an event log: names, first bytes, headers, JSON values."""

import csv
import json
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

COMPRESSED = {".gz": b"\x1f\x8b", ".bz2": b"BZh"}  # the first bytes by ending
CODECS = {".gz": "gzip", ".bz2": "bz2"}  # fsspec's names
PARQUET = b"PAR1"
UNPACK = "Unpack it: text is read plain or compressed as .gz or .bz2."
# First bytes of files that Spark would read as lines of text; what the files are, and what to do.
NOT_TEXT = {
    b"\x1f\x8b": ("compressed by gzip, without .gz in its name", "Add .gz to its name."),
    b"BZh": ("compressed by bzip2, without .bz2 in its name", "Add .bz2 to its name."),
    b"\x28\xb5\x2f\xfd": ("compressed by Zstandard", UNPACK),
    b"\xfd7zXZ": ("compressed by xz", UNPACK),
    b"PK\x03\x04": ("a zip archive", UNPACK),
    b"\xff\xfe": ("UTF-16", "Convert it to UTF-8."),
    b"\xfe\xff": ("UTF-16", "Convert it to UTF-8."),
    b"Obj\x01": ("Avro", "Convert it to JSON lines, CSV or Parquet."),
}
# Spark would read these as Hadoop's formats, which differ from the usual ones of the same name.
HADOOP_ENDINGS = (".deflate", ".lz4", ".snappy", ".zst")
BYTE_ORDER_MARK = "\ufeff"
BLANKS = " \t\r\n"
ARRAY_DECODER = msgspec.json.Decoder(list[msgspec.Raw])
# Numbers as text: Python refuses to convert more than 4,300 digits.
VALUE_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


class Header(NamedTuple):
    """The column names of separated values, in order, and their delimiter."""

    names: tuple[str, ...]
    delimiter: str


def is_hidden(path: str) -> bool:
    """Return whether Spark skips a file because of its name or that of a folder above it."""
    return path.endswith("._COPYING_") or any(
        part.startswith(".") or (part.startswith("_") and "=" not in part)
        for part in PurePosixPath(path).parts
    )


def find_problem(path: str, stored: bytes, content: bytes) -> tuple[str, str] | None:
    """Return why a file cannot be part of a log, and what to do; None if it can.

    `stored` and `content` are its first bytes, as stored and unpacked.
    """
    suffix = PurePosixPath(path).suffix
    if suffix in HADOOP_ENDINGS:
        return f"compressed as {suffix}", UNPACK
    if suffix in COMPRESSED and not stored.startswith(COMPRESSED[suffix]):
        return f"not compressed as {suffix}, despite its name", "Correct its name."
    if suffix in COMPRESSED and content.startswith(PARQUET):
        return f"Parquet, compressed again as {suffix}", "Unpack it."
    if _is_tar(content[: tarfile.BLOCKSIZE]):
        return "a tar archive", UNPACK
    return next((what for magic, what in NOT_TEXT.items() if content.startswith(magic)), None)


def _is_tar(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def parse_header(line: str, delimiters: str) -> Header:
    """Parse a header by the delimiter that gives the largest number of names.

    >>> parse_header('ts;"user;id";page', ",;")
    Header(names=('ts', 'user;id', 'page'), delimiter=';')
    """
    headers = [
        Header(tuple(next(csv.reader([line], delimiter=delimiter), [])), delimiter)
        for delimiter in delimiters
    ]
    return max(headers, key=lambda header: len(header.names))


def split_values(text: str) -> list[str]:
    """Return the JSON texts of the objects, or of the elements of arrays, in a text.

    From the first place that is not JSON on, the rest is one more value, which is rejected later.

    >>> split_values('[{"a": 1}, {"a": 2}] {"a": 3} oops')
    ['{"a": 1}', '{"a": 2}', '{"a": 3}', 'oops']
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        return [bytes(element).decode() for element in ARRAY_DECODER.decode(text)]
    except (msgspec.MsgspecError, RecursionError):
        return list(_split_one_by_one(text))


def _split_one_by_one(text: str) -> Iterator[str]:
    position, is_in_array = _skip_blanks(text, 0), False
    while position < len(text):
        if text[position] == "[" and not is_in_array:
            is_in_array = True
        elif text[position] == "]" and is_in_array:
            is_in_array = False
        elif text[position] != "," or not is_in_array:
            try:
                _, end = VALUE_DECODER.raw_decode(text, position)
            except (ValueError, RecursionError):
                yield text[position:].rstrip()
                return
            yield text[position:end]
            position = _skip_blanks(text, end)
            continue
        position = _skip_blanks(text, position + 1)


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in BLANKS:
        position += 1
    return position
