"""Verbs for each outcome, for messages, figures and the report."""

from typing import NamedTuple


class OutcomeWords(NamedTuple):
    """Verbs for customers with the outcome, and for a customer with or without it."""

    past_tense: str  # 12 of 200 customers ...
    infinitive: str  # customers expected to ...
    will_happen: str  # customers who ... within 10 days
    stays: str
    churns: str
    stayed: str
    churned: str


OUTCOME_WORDS = {
    "cancellation": OutcomeWords(
        "cancelled", "cancel", "will have cancelled", "stays", "cancels", "stayed", "cancelled"
    ),
    "downgrade": OutcomeWords(
        "downgraded",
        "downgrade",
        "will have downgraded",
        "stays",
        "downgrades",
        "stayed",
        "downgraded",
    ),
    "either": OutcomeWords(
        "cancelled or downgraded",
        "cancel or downgrade",
        "will have cancelled or downgraded",
        "stays",
        "cancels or downgrades",
        "stayed",
        "cancelled or downgraded",
    ),
    "inactivity": OutcomeWords(
        "were not seen",
        "stay away",
        "will not be seen",
        "is seen",
        "is not seen",
        "was seen",
        "was not seen",
    ),
}
