"""Settings for a Spark session that something else started: a notebook or a platform."""

import logging
from collections.abc import Mapping
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sparkify.errors import UserError
from sparkify.spark.jvm_options import as_text

logger = logging.getLogger(__name__)
SQL_PREFIX = "spark.sql."  # other settings do not change results


class RunningSessionError(UserError):
    """A running session has another value of a setting that changes results, and keeps it."""


def apply_settings(session: SparkSession, settings: Mapping[str, Any]) -> None:
    """Apply the Spark SQL settings of `spark.yml` to a session that differs from them.

    Settings of master, memory or network are ignored: they do not change results.

    Raises:
        RunningSessionError: if a setting cannot be changed.
    """
    wanted = {
        name: as_text(value)
        for name, value in settings.items()
        if name.startswith(SQL_PREFIX) and value is not None
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
