from sparkify.pipelines.data_processing.changed_days import digest_up_to_each_day, plan_days

DIGESTS = {"2018-10-02": "b", "2018-10-01": "a", "2018-10-03": "c"}


def list_changed(digests: dict[str, str], settings: dict[str, object]) -> list[str]:
    """Return the days to make after a run with DIGESTS and the pages ["Home"]."""
    earlier = digest_up_to_each_day(DIGESTS, {"pages": ["Home"]})
    manifest = {"partitions": {day: {"digest": digest} for day, digest in earlier.items()}}
    return list(plan_days(digest_up_to_each_day(digests, settings), manifest)["written"])


def test_a_changed_day_changes_itself_and_later_days() -> None:
    same = {"pages": ["Home"]}
    assert list_changed(DIGESTS, same) == []
    assert list_changed(DIGESTS | {"2018-10-02": "x"}, same) == ["2018-10-02", "2018-10-03"]
    assert list_changed(DIGESTS | {"2018-10-04": "d"}, same) == ["2018-10-04"]
    gone = {day: digest for day, digest in DIGESTS.items() if day != "2018-10-02"}
    assert list_changed(gone, same) == ["2018-10-03"]


def test_other_settings_change_all_days() -> None:
    assert list_changed(DIGESTS, {"pages": ["Help"]}) == sorted(DIGESTS)
