"""Style of all figures: size, fonts and colours; title above the axes, legend below them.

Figures are as wide as the report shows them, so that a phone shows the smallest text at 9 pixels.
Colours are distinguishable with colour blindness, and dark enough for text.
"""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter

MODEL, BAD, GOOD, CAUTION = "#0a63a8", "#b8470c", "#00755a", "#d99a1c"
REFERENCE, PALE, TEXT, SOFT = "#6f7782", "#c9d3df", "#1f2933", "#4a5561"
WIDTH, DPI = 6.4, 144  # inches, pixels per inch
TITLE_SIZE, LABEL_SIZE, TEXT_SIZE = 12.5, 9.5, 9  # points
POINTS = 72  # per inch
MARGIN = 0.1  # inches
LINE_HEIGHT = 1.3  # of a font's size
BOLD_WIDTH, NORMAL_WIDTH = 0.62, 0.55  # mean width of a character, of the font's size


def create_figure(
    title: str,
    subtitle: str,
    height: float,
    *,
    rows: int = 1,
    columns: int = 1,
    subtitle_color: str = SOFT,
    **subplots: Any,
) -> tuple[Figure, list[Axes]]:
    """Create a figure of the usual width with a title, a subtitle and axes.

    Args:
        title: what the figure shows; wrapped.
        subtitle: what the data are; wrapped.
        height: of all axes with their labels and the legend, in inches.
        rows: of axes.
        columns: of axes.
        subtitle_color: another colour for a verdict.
        subplots: `sharey` and others of `Figure.subplots`.
    """
    titles = _wrap(title, TITLE_SIZE * BOLD_WIDTH)
    subtitles = _wrap(subtitle, TEXT_SIZE * NORMAL_WIDTH)
    title_height = len(titles) * TITLE_SIZE * LINE_HEIGHT / POINTS
    header = 2 * MARGIN + title_height + len(subtitles) * TEXT_SIZE * LINE_HEIGHT / POINTS
    total = height + header
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, height / total), wspace=0.06)
    figure = Figure(figsize=(WIDTH, total), dpi=DPI, layout=layout)
    place: dict[str, Any] = {"x": MARGIN / WIDTH, "ha": "left", "va": "top"}
    place |= {"linespacing": LINE_HEIGHT - 0.15, "parse_math": False}  # $ is a dollar
    size: dict[str, Any] = {"fontsize": TITLE_SIZE, "fontweight": "bold", "color": TEXT}
    figure.suptitle("\n".join(titles), y=1 - MARGIN / total, **place, **size)
    y = 1 - (MARGIN + title_height) / total
    soft: dict[str, Any] = {"fontsize": TEXT_SIZE, "color": subtitle_color}
    figure.text(y=y, s="\n".join(subtitles), **place, **soft)
    panels = list(figure.subplots(rows, columns, squeeze=False, **subplots).flat)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(alpha=0.25)
        axes.tick_params(labelsize=TEXT_SIZE)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set(fontsize=LABEL_SIZE, color=TEXT)
    return figure, panels


def create_message(title: str, message: str) -> Figure:
    """Create a figure that says why there is nothing to draw."""
    figure, (axes,) = create_figure(title, message, 0.2)
    axes.set_axis_off()
    return figure


def add_legend(figure: Figure, columns: int = 1, **artists: Any) -> None:
    """Add a legend below the axes, where it covers no data.

    Without `handles`, it has every label once.
    """
    if not artists:
        labelled = [axes.get_legend_handles_labels() for axes in figure.axes]
        by_label = {
            label: handle
            for handles, labels in labelled
            for handle, label in zip(handles, labels, strict=True)
        }
        artists = {"handles": list(by_label.values()), "labels": list(by_label)}
    figure.legend(
        **artists,
        loc="outside lower left",
        frameon=False,
        fontsize=TEXT_SIZE,
        ncols=columns,
        columnspacing=1.4,
    )


def add_text_columns(
    axes: Axes, places: Sequence[float], columns: Mapping[str, Sequence[str]]
) -> None:
    """Add columns of text, with headers, to the right of horizontal bars or dots.

    Args:
        axes: their y-axis runs upwards or downwards.
        places: the rows' positions on the y-axis.
        columns: a text per row, by header.
    """
    right_edge = 0.0  # in points, from the axes
    outside: dict[str, Any] = {"textcoords": "offset points", "fontsize": TEXT_SIZE, "va": "center"}
    for header, texts in columns.items():
        longest = max(map(len, (*header.splitlines(), *texts)))
        right_edge += (longest + 1.5) * TEXT_SIZE * NORMAL_WIDTH
        style = {**outside, "xytext": (right_edge, 0), "ha": "right", "annotation_clip": False}
        for place, text in zip(places, texts, strict=True):
            axes.annotate(text, (1, place), xycoords=axes.get_yaxis_transform(), **style)
        above = {**style, "xytext": (right_edge, 3), "va": "bottom", "color": SOFT}
        axes.annotate(header, (1, 1), xycoords="axes fraction", **above)


def format_percent(share: float, decimals: int = 0) -> str:
    """Format a share of 1 as on the axes: 0.12 as "12 %"."""
    return f"{100 * share:.{decimals}f} %"


def format_as_percent(*axes_lines: Any) -> None:
    """Label the ticks of axis lines (`axes.xaxis`) as percentages of 1."""
    for line in axes_lines:
        line.set_major_formatter(PercentFormatter(1, symbol=" %"))


def _wrap(text: str, points_per_character: float) -> list[str]:
    """Wrap each line of a text to the figure's width."""
    width = int((WIDTH - 2 * MARGIN) * POINTS / points_per_character)
    return [part for line in text.splitlines() for part in wrap(line, width)]
