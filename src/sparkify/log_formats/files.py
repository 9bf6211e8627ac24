"""Files of an event log: names, first bytes, headers, JSON values."""

import csv
import json
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

COMPRESSED = {".gz": b"\x1f\x8b", ".bz2": b"BZh"}  # by the name's ending: the first bytes
CODECS = {".gz": "gzip", ".bz2": "bz2"}  # as fsspec names them
PARQUET = b"PAR1"
UNPACK = "Unpack it: text is read as it is or compressed as .gz or .bz2."
# First bytes of files that Spark would read as lines of text, what they are, and what to do.
NO_TEXT = {
    b"\x1f\x8b": ("compressed by gzip, without .gz in its name", "Add .gz to its name."),
    b"BZh": ("compressed by bzip2, without .bz2 in its name", "Add .bz2 to its name."),
    b"\x28\xb5\x2f\xfd": ("compressed by Zstandard", UNPACK),
    b"\xfd7zXZ": ("compressed by xz", UNPACK),
    b"PK\x03\x04": ("a zip archive", UNPACK),
    b"\xff\xfe": ("UTF-16", "Convert it to UTF-8."),
    b"\xfe\xff": ("UTF-16", "Convert it to UTF-8."),
    b"Obj\x01": ("Avro", "Convert it to JSON lines, CSV or Parquet."),
}
# Spark would unpack these as Hadoop's own formats, which differ from those of the same name.
HADOOP_ENDINGS = (".deflate", ".lz4", ".snappy", ".zst")
BYTE_ORDER_MARK = "\ufeff"
BLANKS = " \t\r\n"
ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
# Numbers as text: Python refuses to convert more than 4,300 digits.
ONE_VALUE = json.JSONDecoder(parse_int=str, parse_float=str)


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

    Args:
        path: its name.
        stored: its first bytes.
        content: the first bytes of its content, unpacked.
    """
    suffix = PurePosixPath(path).suffix
    if suffix in HADOOP_ENDINGS:
        return f"compressed as {suffix}", UNPACK
    if suffix in COMPRESSED and not stored.startswith(COMPRESSED[suffix]):
        return f"not compressed as {suffix}, whatever its name says", "Correct its name."
    if suffix in COMPRESSED and content.startswith(PARQUET):
        return f"Parquet, compressed as {suffix} once more", "Unpack it."
    if _is_tar(content[: tarfile.BLOCKSIZE]):
        return "a tar archive", UNPACK
    return next((what for magic, what in NO_TEXT.items() if content.startswith(magic)), None)


def _is_tar(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def parse_header(line: str, delimiters: str) -> Header:
    """Return a header by the delimiter, of those possible, that gives most names.

    >>> parse_header('ts;"user;id";page', ",;")
    Header(names=('ts', 'user;id', 'page'), delimiter=';')
    """
    headers = [
        Header(tuple(next(csv.reader([line], delimiter=delimiter), [])), delimiter)
        for delimiter in delimiters
    ]
    return max(headers, key=lambda header: len(header.names))


def split_values(text: str) -> list[str]:
    """Return the JSON text of each object, or element of an array, that a text holds.

    The rest after the first place that is not JSON is one more value, which is then rejected.

    >>> split_values('[{"a": 1}, {"a": 2}] {"a": 3} oops')
    ['{"a": 1}', '{"a": 2}', '{"a": 3}', 'oops']
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        return [bytes(element).decode() for element in ELEMENTS.decode(text)]
    except (msgspec.MsgspecError, RecursionError):
        return list(_split_one_by_one(text))


def _split_one_by_one(text: str) -> Iterator[str]:
    place, is_in_array = _skip_blanks(text, 0), False
    while place < len(text):
        if text[place] == "[" and not is_in_array:
            is_in_array = True
        elif text[place] == "]" and is_in_array:
            is_in_array = False
        elif text[place] != "," or not is_in_array:
            try:
                _, end = ONE_VALUE.raw_decode(text, place)
            except (ValueError, RecursionError):
                yield text[place:].rstrip()
                return
            yield text[place:end]
            place = _skip_blanks(text, end)
            continue
        place = _skip_blanks(text, place + 1)


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in BLANKS:
        place += 1
    return place
