"""The files of a log and the text at their beginning."""

import zlib
from pathlib import PurePosixPath
from typing import Any

import fsspec

from sparkify.inspection.errors import InspectionError

MAX_BYTES = 4_000_000  # of text, from all files together: about a second to parse
MIN_BYTES_PER_FILE = 100_000
MAX_FILES = 40
COMPRESSED = {".gz": (b"\x1f\x8b", "gzip"), ".bz2": (b"BZh", "bz2")}
PARQUET = b"PAR1"
# First bytes of files that the project does not read as they are.
UNREADABLE = {
    b"\x1f\x8b": ("compressed by gzip, without .gz in its name", "Add .gz to its name."),
    b"BZh": ("compressed by bzip2, without .bz2 in its name", "Add .bz2 to its name."),
    b"\x28\xb5\x2f\xfd": ("compressed by Zstandard", "Unpack it: `unzstd FILE`."),
    b"PK\x03\x04": ("a zip archive", "Unpack it: `unzip FILE`."),
    b"\xff\xfe": ("UTF-16", "Convert it to UTF-8."),
    b"\xfe\xff": ("UTF-16", "Convert it to UTF-8."),
    b"Obj\x01": ("Avro", "Export it as JSON lines, CSV or Parquet."),
    b"ORC": ("ORC", "Export it as JSON lines, CSV or Parquet."),
}


class LogFiles:
    """The files of a log: a single file, or all files below a folder."""

    def __init__(self, path: str) -> None:
        """Find the files.

        Raises:
            InspectionError: if there are none.
        """
        try:
            self.filesystem, self.root = fsspec.core.url_to_fs(path)
        except (ImportError, ValueError) as error:
            raise InspectionError(f"{path} cannot be opened: {error}.") from error
        if not self.filesystem.exists(self.root):
            raise InspectionError(f"there is no file or folder at {path}.")
        self.is_local = "file" in self.filesystem.protocol
        self.is_folder = self.filesystem.isdir(self.root)
        found = sorted(self.filesystem.find(self.root)) if self.is_folder else [self.root]
        self.names = [name for name in map(self._relative, found) if not _is_hidden(name)]
        if not self.is_folder:
            self.names = [PurePosixPath(self.root).name]
        if not self.names:
            raise InspectionError(f"the folder {path} has no files.")
        self.sampled = _spread(self.names, MAX_FILES)

    def _relative(self, file: str) -> str:
        return file.removeprefix(self.root).lstrip("/")

    def path(self, name: str) -> str:
        """Return the full path of a file by its name below the folder."""
        return f"{self.root.rstrip('/')}/{name}" if self.is_folder else self.root

    @property
    def bytes_per_file(self) -> int:
        """How much of each sampled file is read."""
        return max(MAX_BYTES // len(self.sampled), MIN_BYTES_PER_FILE)

    def open_bytes(self, name: str, compression: str | None = None) -> Any:
        """Open a file for reading bytes."""
        return self.filesystem.open(self.path(name), "rb", compression=compression)

    def read_beginning(self, name: str) -> tuple[bytes, bool]:
        """Return the first unpacked bytes of a file and whether they are all of it.

        Raises:
            InspectionError: if they are no text, or Parquet is compressed as a whole.
        """
        suffix = PurePosixPath(name).suffix
        magic, compression = COMPRESSED.get(suffix, (b"", None))
        try:
            with self.open_bytes(name) as file:
                first = file.read(4)
            if first and not first.startswith(magic):
                raise InspectionError(
                    f"{self.path(name)} is not compressed as {suffix}. Correct its name."
                )
            with self.open_bytes(name, compression if first else None) as file:
                content = file.read(self.bytes_per_file)
                is_whole = not file.read(1)
        except (OSError, EOFError, zlib.error) as error:
            raise InspectionError(f"{self.path(name)} cannot be read: {error}.") from error
        self._require_text(name, content)
        return content, is_whole

    def _require_text(self, name: str, content: bytes) -> None:
        if content.startswith(PARQUET):
            return
        for magic, (what, remedy) in UNREADABLE.items():
            if content.startswith(magic):
                raise InspectionError(f"{self.path(name)} is {what}. {remedy}")
        if content[257:262] == b"ustar":
            raise InspectionError(f"{self.path(name)} is a tar archive. Unpack it: `tar xf FILE`.")
        if b"\0" in content[:4096]:
            raise InspectionError(
                f"{self.path(name)} is binary. The project reads JSON, CSV, TSV and Parquet."
            )


def _is_hidden(name: str) -> bool:
    """Return whether Spark skips a file because of its name or that of a folder above it."""
    return any(
        part.startswith(".") or (part.startswith("_") and "=" not in part)
        for part in PurePosixPath(name).parts
    )


def _spread(names: list[str], count: int) -> list[str]:
    """Return at most `count` of the names, evenly spread."""
    if len(names) <= count:
        return names
    return [names[index * len(names) // count] for index in range(count)]
