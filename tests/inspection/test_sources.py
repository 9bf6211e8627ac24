from typing import Any

from sparkify.inspection.sampling import SampledFile
from sparkify.inspection.sources import find_sources, have_different_settings


def make_file(name: str, *keys: str) -> SampledFile:
    values: dict[str, Any] = {"ts": 1541105830, "userId": "a", "page": "Home", "event": "Play"}
    return SampledFile(name, "json_lines", [{key: values[key] for key in ("ts", "userId", *keys)}])


def test_part_files_are_one_source() -> None:
    (source,) = find_sources([make_file("part-0.json", "page"), make_file("part-1.json", "page")])
    assert (source.pattern, source.guess.page_from) == ("*", None)
    assert len(source.profile.records) == 2


def test_partitions_are_one_source() -> None:
    files = [make_file("year=2023/a1.json", "page"), make_file("year=2024/a1.json", "page")]
    assert len(find_sources(files)) == 1


def test_folders_of_different_shapes_are_sources() -> None:
    files = [
        make_file("views/2024-01-01/x.json", "page"),
        make_file("listens/2024-01-01/x.json"),
        make_file("listens/2024-01-02/x.json"),
    ]
    views, listens = find_sources(files)
    assert (views.pattern, views.guess.fields["page"], views.guess.page_from) == (
        *("views/*", "page"),
        None,
    )
    assert (listens.pattern, listens.name, listens.guess.page_from) == (
        *("listens/*", "listens"),
        "folder",
    )
    assert have_different_settings([views, listens])


def test_file_names_can_be_pages() -> None:
    sources = find_sources([make_file("song_played.json"), make_file("song_liked.json")])
    assert {(source.name, source.guess.page_from) for source in sources} == {
        ("song_played", "file"),
        ("song_liked", "file"),
    }
    assert not have_different_settings(sources)


def test_names_of_numbered_files_are_not_pages() -> None:
    files = [
        make_file("Audio_2023_1.json"),
        make_file("Audio_2024_2.json"),
        make_file("Video_2023.json"),
    ]
    sources = find_sources(files)
    assert {source.pattern for source in sources} == {"Audio*", "Video*"}
    assert {source.guess.page_from for source in sources} == {None}
