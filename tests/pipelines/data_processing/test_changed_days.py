from sparkify.pipelines.data_processing.changed_days import digest_weeks, plan_partitions

DIGESTS = {"2018-10-08": "b", "2018-10-01": "a", "2018-10-17": "d", "2018-10-10": "c"}
WEEKS = ["2018-10-01", "2018-10-08", "2018-10-15"]  # their Mondays


def list_changed(digests: dict[str, str], settings: dict[str, object]) -> list[str]:
    """Return the weeks to make after a run with DIGESTS and the pages ["Home"]."""
    earlier = digest_weeks(DIGESTS, {"pages": ["Home"]})
    manifest = {"partitions": {week: {"digest": digest} for week, digest in earlier.items()}}
    return list(plan_partitions(digest_weeks(digests, settings), manifest)["written"])


def test_a_changed_day_changes_its_week_and_later_ones() -> None:
    same: dict[str, object] = {"pages": ["Home"]}
    assert list_changed(DIGESTS, same) == []
    assert list_changed(DIGESTS | {"2018-10-10": "x"}, same) == WEEKS[1:]
    assert list_changed(DIGESTS | {"2018-10-14": "d"}, same) == WEEKS[1:]
    assert list_changed(DIGESTS | {"2018-10-18": "e"}, same) == WEEKS[2:]
    gone = {day: digest for day, digest in DIGESTS.items() if day != "2018-10-08"}
    assert list_changed(gone, same) == WEEKS[1:]
    without_last = {day: digest for day, digest in DIGESTS.items() if day != "2018-10-17"}
    assert list_changed(without_last, same) == []


def test_other_settings_change_all_weeks() -> None:
    assert list_changed(DIGESTS, {"pages": ["Help"]}) == WEEKS
