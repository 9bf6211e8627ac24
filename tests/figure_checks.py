"""Checks that a figure can be read: no text is clipped, overprinted or too small."""

from collections.abc import Iterator
from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from sparkify.figure_style import DPI, TEXT_SIZE, WIDTH

ROUNDING = 1.0  # pixels


def require_readable(figure: Figure) -> None:
    """Fail if a text is clipped, overlaps another one, is small or would be set as a formula.

    Axes need a label, the figure a title.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    assert width == int(WIDTH * DPI)
    texts = [text for text in _list_texts(figure) if text.get_visible() and text.get_text().strip()]
    boxes = {text: text.get_window_extent(canvas.get_renderer()) for text in texts}
    clipped = [
        text.get_text()
        for text, box in boxes.items()
        if min(box.x0, box.y0) < -ROUNDING
        or box.x1 > width + ROUNDING
        or box.y1 > height + ROUNDING
    ]
    assert not clipped, clipped
    overlapping = [
        (one.get_text(), other.get_text())
        for (one, first), (other, second) in combinations(boxes.items(), 2)
        if min(first.x1, second.x1) - max(first.x0, second.x0) > ROUNDING
        and min(first.y1, second.y1) - max(first.y0, second.y0) > ROUNDING
    ]
    assert not overlapping, overlapping
    assert min(text.get_fontsize() for text in texts) >= TEXT_SIZE
    assert all(axes.get_xlabel() for axes in figure.axes if axes.axison)
    assert figure.get_suptitle()
    formulas = [text for text in texts if text.get_text().count("$") > 1 and text.get_parse_math()]
    assert not formulas, formulas


def get_subtitle(figure: Figure) -> str:
    """Return the text below the title in one line."""
    return figure.texts[1].get_text().replace("\n", " ")


def _list_texts(figure: Figure) -> Iterator[Text]:
    yield from figure.texts
    for axes in figure.axes:
        if not axes.axison:
            continue
        yield from axes.texts
        for axis in (axes.xaxis, axes.yaxis):
            yield axis.label
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    yield tick.label1
    for legend in figure.legends:
        yield from legend.get_texts()
