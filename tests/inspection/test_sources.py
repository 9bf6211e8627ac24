from typing import Any

from sparkify.inspection.sampling import SampledFile
from sparkify.inspection.sources import find_sources, have_different_settings


def file(name: str, *keys: str) -> SampledFile:
    values: dict[str, Any] = {"ts": 1541105830, "userId": "a", "page": "Home", "event": "Play"}
    return SampledFile(name, "json_lines", [{key: values[key] for key in ("ts", "userId", *keys)}])


def test_part_files_are_one_source() -> None:
    (source,) = find_sources([file("part-0.json", "page"), file("part-1.json", "page")])
    assert (source.pattern, source.guess.page_from) == ("*", None)
    assert len(source.profile.records) == 2


def test_partitions_are_one_source() -> None:
    files = [file("year=2023/a1.json", "page"), file("year=2024/a1.json", "page")]
    assert len(find_sources(files)) == 1


def test_folders_of_other_shapes_are_sources() -> None:
    files = [
        file("views/2024-01-01/x.json", "page"),
        file("listens/2024-01-01/x.json"),
        file("listens/2024-01-02/x.json"),
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


def test_files_may_be_named_by_their_pages() -> None:
    sources = find_sources([file("song_played.json"), file("song_liked.json")])
    assert {(one.name, one.guess.page_from) for one in sources} == {
        ("song_played", "file"),
        ("song_liked", "file"),
    }
    assert not have_different_settings(sources)


def test_numbered_files_are_not_named_by_pages() -> None:
    files = [file("Audio_2023_1.json"), file("Audio_2024_2.json"), file("Video_2023.json")]
    sources = find_sources(files)
    assert {one.pattern for one in sources} == {"Audio*", "Video*"}
    assert {one.guess.page_from for one in sources} == {None}
