from sparkify.schemas import CHURN_SCORES, CURRENT_SNAPSHOTS


def test_every_column_has_a_meaning() -> None:
    for table in (CURRENT_SNAPSHOTS, CHURN_SCORES):
        assert table.grain.startswith("One row per")
        assert len(table.columns) == len(set(table.columns))
        for column in table.definition:
            assert column.meaning.endswith("."), column
