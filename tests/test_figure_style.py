import pytest

from sparkify.figure_style import (
    add_legend,
    add_text_columns,
    create_figure,
    create_message,
    format_percent,
)
from tests.figure_checks import get_subtitle, require_readable

LONG = "a long sentence about customers, their songs and their plans " * 4


def test_long_titles_are_wrapped_within_the_figure() -> None:
    figure, (axes,) = create_figure(LONG, f"{LONG}\n{LONG}", 2.5)
    axes.plot([0, 1], [0, 1])
    axes.set_xlabel("share")
    require_readable(figure)
    assert len(figure.get_suptitle().splitlines()) > 3
    assert get_subtitle(figure) == f"{LONG}{LONG}".strip()


def test_a_label_that_panels_share_is_once_in_the_legend() -> None:
    figure, panels = create_figure("Title", "Subtitle", 2.5, columns=2)
    for axes, other in zip(panels, ("first", "second"), strict=True):
        axes.plot([0, 1], [0, 1], label="both")
        axes.plot([0, 1], [1, 0], label=other)
        axes.set_xlabel("share")
    add_legend(figure, 3)
    require_readable(figure)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["both", "first", "second"]


def test_columns_of_text_stand_beside_their_rows() -> None:
    figure, (axes,) = create_figure("Title", "Subtitle", 1.5)
    axes.barh(["a", "b"], [1, 2])
    axes.set_xlabel("seconds")
    add_text_columns(axes, range(2), {"rows\nwritten": ["1,234,567", "8"], "MB": ["1", "20,000"]})
    require_readable(figure)
    heights = {text.get_text(): text.xy[1] for text in axes.texts}
    assert heights["1,234,567"] == heights["1"] == 0
    assert heights["8"] == heights["20,000"] == 1


def test_a_message_has_no_axes() -> None:
    figure = create_message("Learning curve", LONG)
    require_readable(figure)
    assert not figure.axes[0].axison


@pytest.mark.parametrize(
    ("share", "decimals", "text"), [(0.124, 0, "12 %"), (0.0349, 1, "3.5 %"), (1, 0, "100 %")]
)
def test_shares_are_percentages(share: float, decimals: int, text: str) -> None:
    assert format_percent(share, decimals) == text


def test_clipped_and_overprinted_text_is_noticed() -> None:
    clipped, (axes,) = create_figure("Title", "Subtitle", 2)
    axes.set_xlabel("share")
    clipped.text(0.9, 0.5, "beyond the right edge of the figure")
    with pytest.raises(AssertionError, match="beyond the right edge"):
        require_readable(clipped)
    overprinted, (axes,) = create_figure("Title", "Subtitle", 2)
    axes.set_xlabel("share")
    axes.set_xticks([0.5, 0.51], ["one tick", "another tick"])
    with pytest.raises(AssertionError, match="another tick"):
        require_readable(overprinted)
