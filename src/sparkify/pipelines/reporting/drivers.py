"""What drives the forecast."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.input_definitions import LOG
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import (
    Block,
    Column,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)
from sparkify.schemas import feature_columns

WHOLE = ", whole history"  # what features are unless they say otherwise
KINDS = {
    "coefficient": (
        "a weight is the change of the log-odds of leaving per standard deviation of the input: "
        "above 0 it goes with leaving, below 0 with staying"
    ),
    "importance": (
        "a weight is the input's share in what tells leavers from stayers; it has no direction, "
        "and the reasons beside each customer say which way it works for them"
    ),
}


KNOWN_BY = 3  # rates that are told of a segment
SEGMENTS = (
    "Segments are kinds of customers that differ in how often they do what is counted. They are "
    "learnt from what all customers do, without looking at who left; a customer is of each with "
    "some probability, and of somebody hardly seen yet it is the segment's share. Left in time is "
    "the share of its customers, at the cutoffs of the training, who left within the horizon."
)


def drivers(
    feature_weights: pd.DataFrame,
    segments: pd.DataFrame,
    inputs: InputParameters,
    feature_engineering: FeatureEngineeringParameters,
    figure: bytes,
) -> Section:
    """Say what the champion looks at, how much each input weighs, and which customers there are."""
    kind = str(feature_weights["kind"].iloc[0])
    meanings = _meanings(inputs, feature_engineering)
    meanings |= {f"segment_{n}": f"Probability of segment {n}" for n in segments["segment"]}
    looked_at = {str(name).partition(", ")[0] for name in feature_weights["feature"]}
    heaviest = feature_weights.iloc[0]
    told = (
        f"The model looks at {words.count(len(looked_at))} inputs, all known before the cutoff: "
        "none is a name, an id or a free text. In the table "
        f"{KINDS[kind]}. The heaviest is {_named(heaviest['feature'])} "
        f"({words.number(heaviest['weight'])}). Weights say what goes with leaving in this log, "
        "not what makes people leave."
    )
    alt = "The weights of the inputs, the heaviest on top: " + ", ".join(
        f"{_named(row['feature'])} {words.number(row['weight'])}"
        for row in feature_weights.head(5).to_dict("records")
    )
    return Section(
        "drivers",
        "What drives it",
        (
            *(Text(told), Pictures((Picture(figure, f"{alt}."),))),
            *(_table(feature_weights, meanings), *_segments(segments, inputs)),
        ),
    )


def _segments(segments: pd.DataFrame, inputs: InputParameters) -> tuple[Block, ...]:
    """Say which kinds of customers the model tells apart, by the rates that are most their own."""
    if segments.empty:
        return ()
    rates = segments.drop(columns=["segment", "share", "churned"])
    everybody = rates.iloc[-1]
    distance = rates.div(everybody).transform(np.log).abs()

    def known_by(place: int) -> str:
        most = map(str, pd.Series(distance.iloc[place]).nlargest(KNOWN_BY).index)
        told = [
            inputs.rate_words(name).format(rate=rates.loc[place, name], others=everybody[name])
            for name in most
        ]
        return "; ".join(told).replace("%", f"{words.SPACE}%")

    table = Table(
        "The segments, the largest first",
        (
            *(Column("Segment", "text"), Column("Share of customers"), Column("Left in time")),
            Column("Known by", "prose"),
        ),
        tuple(
            (
                str(row["segment"]),
                words.share(row["share"]),
                words.share(row["churned"]),
                known_by(place),
            )
            for place, row in enumerate(segments.head(-1).to_dict("records"))
        ),
        stacks=True,
    )
    return (Text(SEGMENTS), table)


def _named(feature: Any) -> str:
    name, _, moderator = str(feature).partition(", ")
    return words.plain(name.removeprefix(LOG)) + (
        f", times {words.plain(moderator)}" if moderator else ""
    )


def _table(feature_weights: pd.DataFrame, meanings: Mapping[str, str]) -> Table:
    """Put an input's own weight and that of its product with the moderator into one row."""
    told = feature_weights["feature"].str.partition(", ")
    weights = feature_weights.assign(name=told[0], times=told[2])
    products = weights[weights["times"] != ""].set_index("name")["weight"]
    moderators = sorted(set(weights["times"]) - {""})
    return Table(
        "The inputs, the heaviest first",
        (
            *[Column("Input", "text"), Column("Weight")],
            *(Column(f"More times {words.plain(moderator)}") for moderator in moderators),
            Column("Meaning", "prose"),
        ),
        tuple(
            (
                _named(row["name"]),
                words.number(row["weight"]),
                *(words.number(products.get(row["name"])) for _ in moderators),
                meanings.get(str(row["name"]).removeprefix(LOG), words.UNKNOWN),
            )
            for row in weights[weights["times"] == ""].to_dict("records")
        ),
        stacks=True,
    )


def _meanings(
    inputs: InputParameters, feature_engineering: FeatureEngineeringParameters
) -> dict[str, str]:
    """Say what each input is, from what the features are that it is made of."""
    columns = feature_columns(
        feature_engineering.pages,
        feature_engineering.by_level,
        feature_engineering.windowed,
        feature_engineering.windows_days,
    )
    of_feature = {
        column.name: column.meaning.partition(":")[0].removesuffix(".").removesuffix(WHOLE)
        for column in columns
    }
    if inputs.plain is None:
        return {name: f"{meaning}; logarithm" for name, meaning in of_feature.items()}
    rates = {
        name: (
            f"{of_feature[rate.count]} per {_lowered(of_feature[rate.per])}, with {rate.prior:g} "
            "more of these at everybody's rate"
        )
        for name, rate in inputs.rates.items()
    }
    plain = {
        name: of_feature[name] + ("; logarithm" if how.log else "")
        for name, how in inputs.plain.items()
    }
    return rates | plain


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
