"""What a simulation knows beside its log."""

from pyspark.sql import types as T

from sparkify.schemas.table import COUNT, NUMBER, SMALL, TEXT, Column, Table

SIMULATED_USERS = Table(
    "One row per simulated user.",
    (
        Column("user_number", COUNT, "Number from 0; seeds everything about the user."),
        Column("user_id", TEXT, "The userId in the log."),
        Column("cohort", TEXT, "Hidden behaviour: accordion, tuba, zither or xylophone."),
        Column("page_gap_seconds", NUMBER, "Mean pause before a page (alpha), seconds."),
        Column("session_gap_seconds", NUMBER, "Mean pause before a session (beta), seconds."),
        Column("auth", TEXT, "Logged In, Logged Out or Guest at arrival."),
        Column("level", TEXT, "free or paid at arrival."),
        Column(
            "arrival_second", COUNT, "Start of the log, or a newcomer's arrival; epoch seconds."
        ),
        Column("registration_second", COUNT, "Registration; epoch seconds."),
        Column("first_name", TEXT, "First name; carries no information."),
        Column("last_name", TEXT, "Last name; carries no information."),
        Column("gender", TEXT, "F or M; carries no information."),
        Column("location", TEXT, "Metropolitan area; carries no information."),
        Column("user_agent", TEXT, "Browser; carries no information."),
    ),
)

SIMULATED_SESSIONS = Table(
    "One row per session of a simulated user that has events in the log.",
    (
        Column("user_number", COUNT, "The user, as in simulated_users."),
        Column("session_order", SMALL, "The user's sessions counted from 0."),
        Column("cohort", TEXT, "The user's hidden behaviour."),
        Column("started_second", COUNT, "First event in the log; epoch seconds."),
        Column("first_item", SMALL, "itemInSession of that event."),
        Column(
            "events",
            T.ArrayType(
                T.StructType(
                    [
                        T.StructField("second", COUNT),
                        T.StructField("state", SMALL),
                        T.StructField("song_number", SMALL),
                    ]
                )
            ),
            "Epoch second, state of the chain and song (-1: none) of every event.",
        ),
    ),
)
