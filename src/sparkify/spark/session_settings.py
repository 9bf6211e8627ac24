"""A Spark session that ran before the project did: a notebook's, or that of a platform."""

import logging
from collections.abc import Mapping
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sparkify.errors import UserError
from sparkify.spark.jvm_options import as_text

logger = logging.getLogger(__name__)
DECIDE_RESULTS = "spark.sql."  # other settings say with which means Spark works


class RunningSessionError(UserError):
    """A running session lacks a setting that decides results, and cannot take it."""


def apply_settings(session: SparkSession, settings: Mapping[str, Any]) -> None:
    """Set in a session what `spark.yml` says of Spark SQL, where the session differs.

    A session that was started with these settings has them already. Settings of master, memory
    or network are left alone: they change no result.

    Raises:
        RunningSessionError: if the session cannot take one.
    """
    wanted = {
        name: as_text(value)
        for name, value in settings.items()
        if name.startswith(DECIDE_RESULTS) and value is not None
    }
    changed = []
    for name, value in wanted.items():
        present = session.conf.get(name, None)
        if present == value:
            continue
        try:
            session.conf.set(name, value)
        except PySparkException as error:
            raise RunningSessionError(
                f"Spark runs already, with {name} {present or 'unset'}, and cannot change it; "
                f"conf/<env>/spark.yml sets {value}. Stop that session (spark.stop()), or start "
                f"it with {name} {value}."
            ) from error
        changed.append(f"{name}={value} (was {present})")
    if changed:
        logger.info("Spark runs already. Its session now has %s", ", ".join(changed))
