from docs.data_dictionary import PAGE, write_dictionary


def test_the_page_describes_the_catalog_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_dictionary(), "run `make dictionary`"


def test_tables_have_all_their_columns() -> None:
    page = write_dictionary()
    assert "| `next_song_28d` | double | Events on page NextSong, last 28 days. |" in page
    assert "| `free_roll_advert` | bigint | Those of roll_advert on the free level. |" in page
    assert page.count("Then the columns of `features`.") == 1
