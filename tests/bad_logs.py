"""Bad lines and bad logs, by name, with the expected result of each.

All lines are checked in one log. Each has the name of its case in `gender`, which identifies it in
the result.
"""

import bz2
import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

SONG = {
    "ts": 1538352117000,
    "userId": "30",
    "sessionId": 29,
    "page": "NextSong",
    "auth": "Logged In",
    "method": "PUT",
    "status": 200,
    "level": "paid",
    "itemInSession": 50,
    "location": "Bakersfield, CA",
    "userAgent": '"Mozilla/5.0 (KHTML, like Gecko)"',
    "lastName": "Freeman",
    "firstName": "Colin",
    "registration": 1538173362000,
    "gender": "M",
    "artist": "Björk",
    "song": "Rockpools",
    "length": 277.89016,
}
REQUIRED = ["ts", "userId", "sessionId", "page", "level", "itemInSession", "registration"]
TEN_MB = 10_000_000


def line(**changes: Any) -> str:
    """Return a line of the log; `...` as a value removes the key."""
    event = {**SONG, **changes}
    return json.dumps({key: value for key, value in event.items() if value is not ...})


def raw_line(**changes: str) -> str:
    """Return a line of the log with values as JSON text, which may be invalid."""
    texts = {key: json.dumps(value) for key, value in SONG.items()} | changes
    return "{" + ", ".join(f'"{key}": {value}' for key, value in texts.items()) + "}"


def replace_end(text: str, end: str) -> str:
    """Return a line with its last brace replaced."""
    return text.removesuffix("}") + end


def ms(day: int, second: int = 0) -> int:
    """Return epoch milliseconds of a time, in days and seconds since 2018-10-01."""
    return int(datetime(2018, 10, 1, tzinfo=UTC).timestamp() + day * 86_400 + second) * 1_000


class Lines(NamedTuple):
    """Lines of a case, and the number of rejected ones by reason; the rest is accepted."""

    lines: list[str | bytes]
    rejected: dict[str, int]


def all_rejected(reason: str, *lines: str | bytes) -> Lines:
    return Lines(list(lines), {reason: len(lines)})


def all_accepted(*lines: str | bytes) -> Lines:
    return Lines(list(lines), {})


# Lines without a name: their text identifies them.
NAMELESS = {
    "blank line": "",
    "blanks alone": "   ",
    "text": "not json",
    "a number alone": "7",
    "null alone": "null",
    "true alone": "true",
    "a text alone": '"abc"',
    "an empty list": "[]",
    "an open brace": "{",
    "comma-separated values": "30,29,NextSong,50",
    "lists opened and never closed": "[" * 900,
}

MALFORMED = {
    "truncated in a text": line(gender="truncated in a text")[:-20],
    "truncated in a number": line(gender="truncated in a number", artist=..., song=...)[:-3],
    "truncated before its brace": replace_end(line(gender="truncated before its brace"), ""),
    "in a list": f"[{line(gender='in a list')}]",
    "a list begun": f"[{line(gender='a list begun')}",
    "two objects": line(gender="two objects") * 2,
    "two objects and a blank": f"{line(gender='two objects and a blank')} {line()}",
    "a list closed, an object": f'{line(gender="a list closed, an object")}] {{"a": 1}}',
    "an object closed, a key": f'{line(gender="an object closed, a key")}, "b": {{}}}}',
    "a brace too many": line(gender="a brace too many") + "}",
    "an element of a printed list": line(gender="an element of a printed list") + ",",
    "a comma too many": replace_end(line(gender="a comma too many"), ",}"),
    "a statement": line(gender="a statement") + ";",
    "a comment": replace_end(line(gender="a comment"), "/* new */}"),
    "a syslog prefix": "Oct  1 00:01:57 host: " + line(gender="a syslog prefix"),
    "single quotes": str({"gender": "single quotes", **SONG}).replace("'M'", "'single quotes'"),
    "an unquoted key": line(gender="an unquoted key").replace('"page"', "page"),
    "NaN for a ts": raw_line(gender='"NaN for a ts"', ts="NaN"),
    "NaN for a length": raw_line(gender='"NaN for a length"', length="NaN"),
    "a leading zero": raw_line(gender='"a leading zero"', status="0200"),
    "a byte order mark inside": "\ufeff" + line(gender="a byte order mark inside"),
    "a no-break space before": "\u00a0" + line(gender="a no-break space before"),
    "a control character": line(gender="a control character").replace("Song", "\x01Song"),
    "a zero byte": line(gender="a zero byte").replace("NextSong", "Next\x00Song"),
    "zero bytes before": "\x00\x00" + line(gender="zero bytes before"),
    "nested 200,000 deep": replace_end(
        line(gender="nested 200,000 deep"), f', "x": {"[" * 200_000}{"]" * 200_000}}}'
    ),
    "10 MB cut in a text": raw_line(
        gender='"10 MB cut in a text"', middleName='"' + r"\"" * (TEN_MB // 2)
    )[:TEN_MB],
}

WRONG_TYPES: dict[str, dict[str, Any]] = {
    "ts": {
        "a word": "yesterday",
        "a truth value": True,
        "a list": [1538352117000],
        "an object": {"ms": 1538352117000},
        "NaN in quotes": "NaN",
        "infinite in quotes": "-Infinity",
    },
    "userId": {"a list": ["30"], "a truth value": True, "an object": {"id": 30}},
    "sessionId": {"a list": [29], "a fraction": 29.5, "a truth value": True},
    "page": {
        "a number": 5,
        "a truth value": False,
        "a list": ["Home"],
        "an object": {"name": "Home"},
    },
    "level": {"a truth value": False, "a list": ["paid"], "an object": {"name": "paid"}},
    "itemInSession": {"a list": [1], "a fraction": 1.5, "20 digits": 10**20},
    "registration": {"a word": "yesterday", "a list": [1]},
    "length": {"an object": {"seconds": 3}, "a word": "long", "NaN in quotes": "NaN"},
}

IMPOSSIBLE: dict[str, tuple[str, str]] = {
    "ts negative": ("ts", "-5"),
    "ts zero": ("ts", "0"),
    "ts in the year 5138": ("ts", "99999999999999"),
    "ts in the year 2100": ("ts", "4102444800000"),
    "ts beyond doubles": ("ts", "1e400"),
    "registration negative": ("registration", "-1538173362000"),
    "item negative": ("itemInSession", "-1"),
    "item beyond 2**21": ("itemInSession", "2097152"),
    "item of 63 bits": ("itemInSession", "9223372036854775807"),
    "level of a third plan": ("level", '"family"'),
    "level empty": ("level", '""'),
    "level a number": ("level", "1"),
    "level in capitals": ("level", '"PAID"'),
    "length negative": ("length", "-277.9"),
    "length beyond a day": ("length", "86401"),
    "length beyond doubles": ("length", "1e400"),
}

ODD_BUT_EVENTS: dict[str, dict[str, Any]] = {
    "userId an int": {"userId": 31},
    "userId a float": {"userId": 31.0},
    "userId of 4 kB": {"userId": "u" * 4_096},
    "userId a script": {"userId": "<script>alert(1)</script>"},
    "userId a formula": {"userId": '=HYPERLINK("http://x")'},
    "userId a statement": {"userId": "'; DROP TABLE events; --"},
    "userId a path": {"userId": "../../etc/passwd"},
    "userId a shell's": {"userId": "$(touch /tmp/x) `id`"},
    "userId with quotes": {"userId": '"page": 5'},
    "userId with a zero byte": {"userId": "a\x00b"},
    "userId half a character": {"userId": "\ud800"},
    "userId reads true": {"userId": "true"},
    "page of 4 kB": {"page": "p" * 4_096},
    "page reads like a number": {"page": "404"},
    "ts a float": {"ts": 1538352117000.0},
    "ts with a fraction": {"ts": 1538352117000.75},
    "registration a float": {"registration": 1538173362000.0},
    "registration after the event": {"registration": 1638173362000},
    "ts an ISO string": {"ts": "2018-10-01T00:01:57Z"},
    "ts a day and a time": {"ts": "2018-10-01 00:01:57.5"},
    "ts in quotes": {"ts": "1538352117000"},
    "ts in seconds": {"ts": 1538352117},
    "ts in seconds, with a fraction": {"ts": 1538352117.25},
    "ts in microseconds": {"ts": 1538352117000000},
    "ts in nanoseconds": {"ts": 1538352117000000000},
    "registration in seconds": {"registration": 1538173362},
    "registration an ISO string": {"registration": "2018-09-28T22:22:42Z"},
    "session negative": {"sessionId": -4},
    "session a word": {"sessionId": "abc"},
    "session in quotes": {"sessionId": "29"},
    "session a float": {"sessionId": 29.0},
    "item a float": {"itemInSession": 50.0},
    "item in quotes": {"itemInSession": "50"},
    "length in quotes": {"length": "277.9"},
    "userId with blanks": {"userId": " 30\t"},
    "unread columns of other types": {"status": "ok", "artist": {"name": "x"}, "song": [1]},
    "a nested object": {"properties": {"page": 5, "userId": [1], "level": True}},
    "braces and brackets in texts": {"artist": "{curly}", "song": "[square]"},
    "10 MB in a browser's name": {"userAgent": "x" * TEN_MB},
    "a thousand columns": {f"column {number}": number for number in range(1_000)},
}


def _pages() -> Iterable[str]:
    gender = "unknown pages by the thousand"
    return (line(gender=gender, page=f"Page {n}", itemInSession=n) for n in range(2_000))


def _lines() -> dict[str, Lines]:
    cases = {name: all_rejected("malformed JSON", text) for name, text in NAMELESS.items()}
    cases |= {name: all_rejected("malformed JSON", text) for name, text in MALFORMED.items()}
    for key, values in WRONG_TYPES.items():
        for what, value in values.items():
            name = f"{key} {what}"
            cases[name] = all_rejected(f"wrong type of {key}", line(**{"gender": name, key: value}))
    for key in REQUIRED:
        for what, value in {"null": None, "left out": ...}.items():
            reason = "no user" if key in ("userId", "registration") else f"no {key}"
            name = f"{key} {what}"
            cases[name] = all_rejected(reason, line(**{"gender": name, key: value}))
    for name, (key, value) in IMPOSSIBLE.items():
        cases[name] = all_rejected(
            f"impossible {key}", raw_line(gender=json.dumps(name), **{key: value})
        )
    for name, changes in ODD_BUT_EVENTS.items():
        cases[name] = all_accepted(line(gender=name, **changes))
    return cases | {
        "userId empty": all_rejected("no user", line(gender="userId empty", userId="")),
        "userId blank": all_rejected("no user", line(gender="userId blank", userId=" \t")),
        "page empty": all_rejected("no page", line(gender="page empty", page="")),
        "a number of 5,000 digits": all_accepted(
            raw_line(gender='"a number of 5,000 digits"', status="1" * 5_000)
        ),
        "keys in another case": all_rejected(
            "no user", line(gender="keys in another case").replace("userId", "userid")
        ),
        "10 MB of braces": all_rejected(
            "no ts", line(gender="10 MB of braces", ts=None, userAgent="x}" * (TEN_MB // 2))
        ),
        "a page twice": all_accepted(replace_end(line(gender="a page twice"), ', "page": "Home"}')),
        "a ts twice, once null": all_rejected(
            "no ts", replace_end(line(gender="a ts twice, once null"), ', "ts": null}')
        ),
        "Windows' line end": all_accepted(line(gender="Windows' line end") + "\r"),
        "blanks around": all_accepted(f" \t{line(gender='blanks around')} \t"),
        "bytes that are not UTF-8": all_accepted(
            line(gender="bytes that are not UTF-8", song="?").encode().replace(b"?", b"\xc3\x28")
        ),
        "a page that is not UTF-8": all_accepted(
            line(gender="a page that is not UTF-8", page="?").encode().replace(b"?", b"\xff\xfe")
        ),
        "a rejected line that is not UTF-8": all_rejected(
            "no ts",
            line(gender="a rejected line that is not UTF-8", ts=None, page="?")
            .encode()
            .replace(b"?", b"\xff\xfe"),
        ),
        "delivered at least once": Lines(
            [line(gender="delivered at least once")] * 5, {"duplicate": 4}
        ),
        "a bad line twice": all_rejected("no ts", *[line(gender="a bad line twice", ts=None)] * 2),
        "unknown pages by the thousand": all_accepted(*_pages()),
        "a clock going backwards": all_accepted(
            *(
                line(gender="a clock going backwards", itemInSession=n, ts=ms(9, -60 * n))
                for n in range(9)
            )
        ),
    }


LINES = _lines()


def as_bytes(lines: Iterable[str | bytes]) -> bytes:
    """Return the content of a file with these lines."""
    return b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in lines)


GOOD = as_bytes(line(itemInSession=number, ts=ms(number // 50)) for number in range(2_000))
PACKED = gzip.compress(GOOD, mtime=0)


def write_file(content: bytes, suffix: str = "") -> Callable[[Path], object]:
    return lambda log: log.with_name(log.name + suffix).write_bytes(content)


def write_parts(**files: bytes) -> Callable[[Path], None]:
    """Return a function that writes a directory of files; `__` in a name means a dot."""

    def write(log: Path) -> None:
        log.mkdir()
        for name, content in files.items():
            (log / name.replace("__", ".")).write_bytes(content)

    return write


def make_tar(compression: str = "") -> bytes:
    """Return a tar archive of a log, larger than the bytes that are unpacked to detect it."""
    content = GOOD * (2_000_000 // len(GOOD))
    info = tarfile.TarInfo("logs/log.json")
    info.size = len(content)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=f"w:{compression}") as tar:
        tar.addfile(info, io.BytesIO(content))
    return archive.getvalue()


# Functions that write a bad log, and words of the expected error message. REFUSED logs fail before
# Spark reads them, EMPTY ones at the first line, and DAMAGED ones at the damaged place. Logs
# WITHOUT_EVENTS fail after all lines were checked.
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing file": (lambda log: None, "there is no event log at"),
    "a link to nowhere": (lambda log: log.symlink_to("nowhere"), "there is no event log at"),
    "two logs": (
        lambda log: (write_file(GOOD)(log), write_file(PACKED, ".gz")(log)),
        "several event logs",
    ),
    "UTF-16": (write_file(GOOD.decode().encode("utf-16")), "is UTF-16. Convert it to UTF-8."),
    "UTF-16, big-endian": (
        write_file(b"\xfe\xff" + GOOD.decode().encode("utf-16-be")),
        "is UTF-16.",
    ),
    "gzip without its ending": (write_file(PACKED), "compressed by gzip, without .gz in its name"),
    "bzip2 without its ending": (
        write_file(bz2.compress(GOOD)),
        "by bzip2, without .bz2 in its name",
    ),
    "text called gzip": (write_file(GOOD, ".gz"), "not compressed as .gz, despite its name"),
    "text called bzip2": (write_file(GOOD, ".bz2"), "not compressed as .bz2"),
    "a Parquet part": (
        write_parts(a=GOOD, b=b"PAR1" + bytes(99)),
        "b is Parquet, but would be read as json_lines because of its name.",
    ),
    "text called Parquet": (
        write_parts(a=GOOD, b__parquet=GOOD),
        "b.parquet is not Parquet, but would be read as parquet because of its name.",
    ),
    "JSON called CSV": (
        write_parts(a=GOOD, b__csv=GOOD),
        "b.csv is JSON, but would be read as csv because of its name.",
    ),
    "an Avro part": (
        write_parts(a=GOOD, b__avro=b"Obj\x01" + bytes(99)),
        "b.avro is Avro. Convert it",
    ),
    "an xz part": (
        write_parts(a=GOOD, b__xz=b"\xfd7zXZ\x00"),
        "b.xz is compressed by xz. Unpack it",
    ),
    "a large array": (
        lambda log: (write_file(b"[{}")(log), os.truncate(log, 101_000_000)),
        "log.json is a JSON array or printed JSON of 101 MB, and such files are read as a whole",
    ),
    "a zip archive": (write_parts(a__zip=b"PK\x03\x04" + bytes(99)), "a.zip is a zip archive."),
    "a Zstandard part": (
        write_parts(a=GOOD, b__zst=b"\x28\xb5\x2f\xfd"),
        "b.zst is compressed as .zst",
    ),
    "a Snappy part": (write_parts(a__snappy=b"abc" * 99), "a.snappy is compressed as .snappy"),
    "a tar archive": (write_file(make_tar()), "log.json is a tar archive. Unpack it"),
    "a packed tar archive": (write_file(make_tar("gz"), ".gz"), "log.json.gz is a tar archive."),
    "a tar archive in bzip2": (
        write_file(make_tar("bz2"), ".bz2"),
        "log.json.bz2 is a tar archive.",
    ),
    "a tar archive among parts": (
        write_parts(a=GOOD, b__tar=make_tar()),
        "b.tar is a tar archive.",
    ),
    "a link to itself": (
        lambda log: (write_parts(a=GOOD)(log), (log / "again").symlink_to(log)),
        "log.json/again leads back to itself: remove it.",
    ),
}
EMPTY: dict[str, Callable[[Path], object]] = {
    "empty file": write_file(b""),
    "empty gzip": write_file(b"", ".gz"),
    "gzip of nothing": write_file(gzip.compress(b"", mtime=0), ".gz"),
    "directory without data": write_parts(),
    "directory of marks": write_parts(_SUCCESS=b"", __a__crc=b"crc"),
    "empty array": write_file(b"[]\n"),
    "CSV with a header only": write_parts(
        a__csv=b"ts,userId\n", b__csv__gz=gzip.compress(b"", mtime=0)
    ),
    "CSV with blank lines only": write_parts(a__csv=b"\r\n \r\n"),
}
DAMAGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "half-written gzip": (write_file(PACKED[: len(PACKED) // 2], ".gz"), "log.json.gz"),
    "gzip without its last bytes": (write_file(PACKED[:-4], ".gz"), "log.json.gz"),
    "gzip with a wrong checksum": (write_file(PACKED[:-8] + bytes(8), ".gz"), "log.json.gz"),
    "half-written gzip among good": (
        write_parts(a__gz=PACKED, b__gz=PACKED[:3_000]),
        "log.json/b.gz",
    ),
    "bzip2 cut off": (write_file(bz2.compress(GOOD)[:-500], ".bz2"), "log.json.bz2"),
    "half-written gzip of an array": (
        write_file(gzip.compress(b"[" + GOOD, mtime=0)[:3_000], ".gz"),
        "log.json.gz",
    ),
}
WITHOUT_EVENTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "binary noise": (
        write_file(bytes(number * 97 % 256 for number in range(50_000))),
        r"\d+ of \d+ records rejected \(\d+ malformed JSON\)\..* malformed JSON: Write one",
    ),
    "impossible years": (
        write_file(as_bytes([line(ts=5)] * 3)),
        "impossible ts (found 5): Set data_processing.earliest_event and latest_event",
    ),
    "all events in an envelope": (
        write_file(as_bytes([json.dumps({"event": SONG})])),
        r"No record has a value of ts \(key ts\), userId \(key userId\), .* Unused keys: event\.",
    ),
}
