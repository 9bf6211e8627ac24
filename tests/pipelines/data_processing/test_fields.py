import pytest

from sparkify.pipelines.data_processing.fields import RecordShape, split_key


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("ts", ("ts",)),
        ("properties.time", ("properties", "time")),
        (r"a\.b", ("a.b",)),
        (r"a\.b.c\\d", ("a.b", "c\\d")),
        ("properties.$session_id", ("properties", "$session_id")),
        ("Größe in cm", ("Größe in cm",)),
        ("a..b", ("a", "", "b")),
        ("ends with a backslash\\", ("ends with a backslash\\",)),
        ("two\nlines", ("two\nlines",)),
    ],
)
def test_a_key_is_split_at_its_dots(key: str, path: tuple[str, ...]) -> None:
    assert split_key(key) == path


@pytest.mark.parametrize(
    ("page_from", "file", "page"),
    [
        ("folder", "listen_events/2018/part-0.json", "2018"),
        ("folder", "event=Play/part-0.parquet", "Play"),
        ("file", "listen_events.json", "listen_events"),
        ("file", "a/listen_events-0001.json.gz", "listen_events"),
        ("file", "listen_events_2018-11-01_12.csv", "listen_events"),
        ("file", "page_view", "page_view"),
        ("file", "2018-11-01.json", "2018-11-01.json"),
    ],
)
def test_a_page_can_be_the_name_of_a_folder_or_a_file(page_from: str, file: str, page: str) -> None:
    assert RecordShape(None, {}, {}, page_from).get_page(file) == page  # type: ignore[arg-type]


def test_a_shape_has_the_fields_of_keys_constants_and_file_names() -> None:
    shape = RecordShape(None, {"ts": ("ts",)}, {"level": "paid"}, "file")
    fields = ("ts", "level", "page", "sessionId")
    assert [shape.has(field) for field in fields] == [True, True, True, False]


def test_a_shape_matches_paths_that_include_folders() -> None:
    shape = RecordShape("listens/*", {}, {}, "key")
    assert shape.matches("listens/2018/a.json")
    assert not shape.matches("auth/listens")
    assert RecordShape(None, {}, {}, "key").matches("anything")
