"""Parameters of reading and checking a log."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from sparkify.log_formats.times import TimeReader
from sparkify.pipelines.data_processing.fields import (
    FIELDS,
    MANDATORY,
    PageSource,
    RecordShape,
    split_key,
)
from sparkify.schemas.parameters import Parameters, unknown_name, wrong_value

Level = Literal["free", "paid"]
ConstantField = Literal["page", "level", "gender"]
# The last day whose milliseconds times `MAX_ITEMS` fit 63 bits.
LAST_DAY = date(2109, 1, 1)


def _require_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:
        raise wrong_value("", name, "a name of the IANA database, such as UTC") from error
    return name


def _require_key(key: str) -> str:
    if not key:
        raise wrong_value("", key, "a key of the log, or null if it has none")
    return key


Key = Annotated[str, AfterValidator(_require_key)]


class Source(Parameters):
    """The settings of some files that differ from those of the other files."""

    files: Annotated[str, StringConstraints(min_length=1)]
    fields: dict[str, Key | None] = Field(default_factory=dict)
    constants: dict[ConstantField, str] = Field(default_factory=dict)
    page_from: PageSource | None = None


class DataProcessingParameters(Parameters):
    """How to read a log and which values are possible; `data_processing` in conf/."""

    from_scratch: bool
    batch_megabytes: PositiveFloat
    earliest_event: date
    latest_event: date = Field(le=LAST_DAY)
    max_song_seconds: PositiveInt
    max_monthly_revenue: PositiveFloat
    examples_per_rejection: int = Field(ge=0)
    max_line_characters: PositiveInt
    max_unknown_columns: PositiveInt
    max_listed_pages: PositiveInt
    max_rejected_share: float = Field(ge=0, le=1)
    unknown_columns_share: float = Field(ge=0, le=1)
    fields: dict[str, Key | None]
    constants: dict[ConstantField, str]
    page_from: PageSource
    sources: tuple[Source, ...]
    time_format: Literal["auto", "s", "ms", "us", "ns", "iso8601"]
    time_zone: Annotated[str, AfterValidator(_require_time_zone)]
    session_gap_minutes: PositiveInt
    plan_pages: dict[Level, tuple[str, ...]]
    levels: dict[Level, tuple[str, ...]]

    @model_validator(mode="after")
    def _require_distinct_units(self) -> Self:
        first, last = _seconds(self.earliest_event), _seconds(self.latest_event)
        if not 0 < first < last < 1_000 * first:
            raise wrong_value(
                "earliest_event",
                self.earliest_event,
                "a day after 1970 and before latest_event, whose milliseconds since 1970 are "
                "more than a thousandth of those of latest_event",
            )
        return self

    @model_validator(mode="after")
    def _require_known_fields(self) -> Self:
        fields = {f"sources[{place}].": source.fields for place, source in enumerate(self.sources)}
        for prefix, names in {"": self.fields, **fields}.items():
            for name in names:
                if name not in FIELDS:
                    raise unknown_name(f"{prefix}fields.{name}", list(FIELDS))
        if len(self.fields) < len(FIELDS):
            raise wrong_value("fields", self.fields, f"a key or null for {', '.join(FIELDS)}")
        return self

    @model_validator(mode="after")
    def _require_mandatory_fields(self) -> Self:
        for place, shape in enumerate(self.shapes):
            prefix = f"sources[{place}]." if self.sources else ""
            for field in MANDATORY:
                if not shape.has(field):
                    instead = ", a constant or page_from" if field == "page" else ""
                    raise wrong_value(f"{prefix}fields.{field}", None, f"a key{instead}")
        return self

    @model_validator(mode="after")
    def _require_one_level_per_plan(self) -> Self:
        plans = [plan for plans in self.levels.values() for plan in plans]
        if not plans:
            raise wrong_value("levels", self.levels, "at least one name of a plan")
        _require_distinct("levels", self.levels, plans)
        pages = [page for pages in self.plan_pages.values() for page in pages]
        _require_distinct("plan_pages", self.plan_pages, pages)
        return self

    @property
    def shapes(self) -> list[RecordShape]:
        """The record shape of each source; one shape for a log without sources."""
        return [self._make_shape(source) for source in self.sources] or [self._make_shape(None)]

    def _make_shape(self, source: Source | None) -> RecordShape:
        fields = {**self.fields, **(source.fields if source else {})}
        constants = {str(name): value for name, value in self.constants.items()}
        constants |= (
            {str(name): value for name, value in source.constants.items()} if source else {}
        )
        if not (fields["level"] or any(self.plan_pages.values())):
            constants.setdefault("level", self.only_plan)
        keys = {field: key for field, key in fields.items() if key and field not in constants}
        return RecordShape(
            files=source.files if source else None,
            paths={field: split_key(key) for field, key in keys.items()},
            constants=constants,
            page_from=(source and source.page_from) or self.page_from,
        )

    @property
    def only_plan(self) -> str:
        """The plan of all customers if the log has no plans: a paid one if possible."""
        return [*self.levels.get("paid", ()), *self.levels.get("free", ())][0]

    @property
    def needs_files(self) -> bool:
        """Whether records need the name of their file."""
        return bool(self.sources) or self.page_from != "key"

    def lacks(self, field: str) -> bool:
        """Return whether the records of some source lack a field."""
        return not all(shape.has(field) for shape in self.shapes)

    @property
    def plans(self) -> dict[str, Level]:
        """The level of each plan, by its name in the log."""
        return {plan: level for level, plans in self.levels.items() for plan in plans}

    @property
    def time_reader(self) -> TimeReader:
        """The reader of the log's times."""
        return TimeReader(
            earliest=self.earliest_event,
            latest=self.latest_event,
            time_format=None if self.time_format == "auto" else self.time_format,
            zone=ZoneInfo(self.time_zone),
        )


def _require_distinct(name: str, value: object, texts: list[str]) -> None:
    for text in texts:
        if texts.count(text) > 1:
            raise wrong_value(name, value, f"{text} once")


def _seconds(day: date) -> int:
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp())
