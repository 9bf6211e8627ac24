"""Simulate a listening log, as the published one was made."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from sparkify.pipelines.simulation.chain import requests, states
from sparkify.pipelines.simulation.life import Process, Session, Traits
from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.pipelines.simulation.profiles import profile
from sparkify.pipelines.simulation.songs import SongCatalogue
from sparkify.schemas import SIMULATED_SESSIONS, SIMULATED_USERS
from sparkify.spark.checksums import log_digest

USERS_PER_BATCH = 50  # some 60,000 events: small enough for any worker's memory


def simulated_users(simulation: SimulationParameters) -> DataFrame:
    """Draw who uses the service: one row per user, with profile and hidden traits.

    Newcomers arrive as a Poisson process on top of `simulation.users`.
    """
    years = simulation.days / 365.25
    newcomers = np.random.default_rng([simulation.seed, 1]).poisson(
        simulation.users * simulation.growth_per_year * years
    )

    def draw(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        process = Process(simulation)
        for batch in batches:
            yield pd.DataFrame(
                [
                    (
                        number,
                        str(number + 1),
                        *process.traits(number),
                        *profile(process.random("profile", number)),
                    )
                    for number in batch["id"].tolist()
                ],
                columns=SIMULATED_USERS.columns,
            )

    numbers = SparkSession.active().range(simulation.users + int(newcomers))
    return numbers.mapInPandas(draw, SIMULATED_USERS.struct)


def simulated_sessions(simulated_users: DataFrame, simulation: SimulationParameters) -> DataFrame:
    """Let every user live through the log's span: one row per session, with its events."""
    hidden = simulated_users.select("user_number", *Traits._fields)

    def simulate(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        process = Process(simulation)
        for batch in batches:
            for start in range(0, batch.num_rows, USERS_PER_BATCH):
                yield _session_batch(process, batch.slice(start, USERS_PER_BATCH).to_pylist())

    spread = hidden.repartition(simulation.files, "user_number")
    return spread.mapInArrow(simulate, SIMULATED_SESSIONS.struct)


def _session_batch(process: Process, users: list[dict[str, Any]]) -> pa.RecordBatch:
    rows: list[tuple[object, ...]] = []
    sessions: list[Session] = []
    for user in users:
        number, *hidden = user.values()
        traits = Traits(*hidden)
        for order, session in enumerate(process.life(number, traits)):
            sessions.append(session)
            rows.append((number, order, traits.cohort, session.seconds[0], session.first_item))
    events = pa.StructArray.from_arrays(
        [
            pa.array([second for session in sessions for second in session.seconds], pa.int64()),
            pa.array([state for session in sessions for state in session.states], pa.int32()),
            pa.array([song for session in sessions for song in session.songs], pa.int32()),
        ],
        names=["second", "state", "song_number"],
    )
    ends = np.cumsum([0, *(len(session.seconds) for session in sessions)])
    columns = list(zip(*rows, strict=True)) or [()] * 5
    types = [pa.int64(), pa.int32(), pa.string(), pa.int64(), pa.int32()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    arrays.append(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), events))
    return pa.RecordBatch.from_arrays(arrays, names=SIMULATED_SESSIONS.columns)


def raw_events(
    simulated_users: DataFrame, simulated_sessions: DataFrame, simulation: SimulationParameters
) -> DataFrame:
    """Write the log as the service would: one JSON object per event, in the order of time.

    As in the published logs, every cohort counts its own sessions, so that a sessionId alone
    names no session.
    """
    spark = simulated_users.sparkSession
    in_order = Window.partitionBy("cohort").orderBy("started_second", "user_number")
    session_ids = simulated_sessions.select(
        "user_number", "session_order", F.row_number().over(in_order).alias("session_id")
    )
    span = simulation.end_second - simulation.start_second
    time_slice = F.expr(f"(second - {simulation.start_second}) * {simulation.files} div {span}")
    events = (
        simulated_sessions.join(session_ids, on=["user_number", "session_order"], how="inner")
        .select("user_number", "session_id", "first_item", F.posexplode("events"))
        .select("user_number", "session_id", F.expr("first_item + pos").alias("item"), "col.*")
        .repartitionById(simulation.files, time_slice.cast("int"))
    )
    described = (
        events.join(F.broadcast(spark.createDataFrame(_state_table())), on="state", how="inner")
        .join(F.broadcast(simulated_users.drop("auth", "level")), on="user_number", how="inner")
        .join(F.broadcast(_song_table(spark, simulation)), on="song_number", how="left")
    )
    # Sorted last: a join keeps no order that it is not asked for.
    in_time = described.sortWithinPartitions("second", "user_number", "item")
    return in_time.select(_json_line(simulation.userless_id))


def _state_table() -> pd.DataFrame:
    rows = [(number, *state, *requests()[state.page]) for number, state in enumerate(states())]
    return pd.DataFrame(rows, columns=["state", "page", "auth", "level", "method", "status"])


def _song_table(spark: SparkSession, simulation: SimulationParameters) -> DataFrame:
    return spark.createDataFrame(SongCatalogue(simulation).table())


def _json_line(userless_id: str) -> Column:
    """Return the column `value`: an event as the published log writes it, keys in its order."""
    is_known = F.col("auth").isin("Logged In", "Cancelled")
    fields = {
        "ts": F.col("second") * 1000,
        "userId": F.when(is_known, F.col("user_id")).otherwise(userless_id),
        "sessionId": F.col("session_id"),
        "page": F.col("page"),
        "auth": F.col("auth"),
        "method": F.col("method"),
        "status": F.col("status"),
        "level": F.col("level"),
        "itemInSession": F.col("item"),
        "location": F.when(is_known, F.col("location")),
        "userAgent": F.when(is_known, F.col("user_agent")),
        "lastName": F.when(is_known, F.col("last_name")),
        "firstName": F.when(is_known, F.col("first_name")),
        "registration": F.when(is_known, F.col("registration_second") * 1000),
        "gender": F.when(is_known, F.col("gender")),
        "artist": F.col("artist"),
        "song": F.col("song"),
        "length": F.col("length"),
    }
    columns = [column.alias(name) for name, column in fields.items()]
    return F.to_json(F.struct(*columns)).alias("value")


def simulation_record(raw_events: DataFrame, simulation: SimulationParameters) -> dict[str, object]:
    """Record what was simulated, with a digest by which the log is known again."""
    return {**simulation.model_dump(mode="json"), "log": log_digest(raw_events)}
