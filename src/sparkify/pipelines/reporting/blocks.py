"""What a report is made of: sections of blocks, whatever they are written as."""

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Notice:
    """A paragraph that nobody may overlook: a warning, or an alarm."""

    kind: ClassVar[str] = "notice"
    text: str
    level: Literal["warning", "alarm"] = "warning"


@dataclass(frozen=True)
class KeyFigures:
    """The few figures to take away: each written out, and what it counts."""

    kind: ClassVar[str] = "key_figures"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Listing:
    """Points: what each is about, and what is said of it."""

    kind: ClassVar[str] = "listing"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """A column: numbers, words, sentences, names as they are written, or shares from 0 to 1."""

    name: str
    shows: Literal["number", "text", "prose", "code", "bar"] = "number"


@dataclass(frozen=True)
class Table:
    """Cells in rows, of which the first names its row.

    A folded table opens when asked to; on a phone the rows of one that stacks become cards, and
    any other scrolls.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str | float, ...], ...]
    folded: bool = False
    stacks: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure of the catalog: its PNG's bytes, and what it shows for those who do not see it."""

    png: bytes
    alt: str


@dataclass(frozen=True)
class Pictures:
    """Figures beside each other where there is room."""

    kind: ClassVar[str] = "pictures"
    items: tuple[Picture, ...]


Block = Text | Notice | KeyFigures | Listing | Table | Pictures


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A title, what has to be known before anything else, and the sections in order."""

    title: str
    subtitle: str
    notices: tuple[Notice, ...]
    sections: tuple[Section, ...]
