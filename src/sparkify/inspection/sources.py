"""Group a log's files whose records have different shapes, by folder or file name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from sparkify.inspection.guesses import Guess, guess_fields
from sparkify.inspection.profile import Profile, profile_records
from sparkify.inspection.sampling import SampledFile

MAX_SOURCES = 30
# Folders that only partition a table: year=2024, 2024-01-31, 07.
PARTITION = re.compile(r".*=.*|[\d_.-]*")


@dataclass(frozen=True)
class Source:
    """Files of one shape: their name pattern, and the profile of their records."""

    pattern: str
    name: str
    profile: Profile
    guess: Guess


def find_sources(files: list[SampledFile]) -> list[Source]:
    """Group a log's files by folder, else by file name; return one source without groups."""
    for find_group, kind in ((_find_folder, "folder"), (_find_stem, "file")):
        groups: dict[tuple[str, str], list[SampledFile]] = {}
        for file in files:
            groups.setdefault(find_group(file.name), []).append(file)
        if 1 < len(groups) <= MAX_SOURCES:
            can_name_pages = all(name for _, name in groups) and (
                kind == "folder"
                or not any(re.search(r"\d", _get_stem(file.name)) for file in files)
            )
            page_from = kind if can_name_pages else None
            return [
                _make_source(pattern, name, group, page_from)
                for (pattern, name), group in groups.items()
                if any(file.records for file in group)
            ]
    return [_make_source("*", "", files, None)]


def _make_source(
    pattern: str, name: str, files: Iterable[SampledFile], page_from: str | None
) -> Source:
    profile = profile_records(record for file in files for record in file.records)
    return Source(pattern, name, profile, guess_fields(profile, page_from))


def have_different_settings(sources: Iterable[Source]) -> bool:
    """Return whether sources need separate settings."""
    settings = {
        repr((source.guess.fields, source.guess.constants, source.guess.page_from))
        for source in sources
    }
    return len(settings) > 1


def _find_folder(name: str) -> tuple[str, str]:
    """Return the pattern and name of the last folder that is not a partition."""
    folders = PurePosixPath(name).parts[:-1]
    while folders and PARTITION.fullmatch(folders[-1]):
        folders = folders[:-1]
    return "/".join([*folders, "*"]), folders[-1] if folders else ""


def _find_stem(name: str) -> tuple[str, str]:
    """Return the pattern and the beginning of a file's name, without numbers and dates."""
    path, stem = PurePosixPath(name), _get_stem(name)
    letters = "" if stem.startswith("part-") else re.split(r"[-_#]?\d", stem)[0]
    folders = ["*" if PARTITION.fullmatch(part) else part for part in path.parts[:-1]]
    return "/".join([*folders, f"{letters}*"]), letters


def _get_stem(name: str) -> str:
    return PurePosixPath(name).name.partition(".")[0]
