"""Dollars as text, by one rule for the log, the report, figures and the notebook."""

MIN_WHOLE = 100  # from here on whole dollars: a cent is less than a hundredth of a percent
CENTS, BELOW_A_CENT = 2, 4  # decimals


def format_dollars(value: float) -> str:
    """Write dollars so that a larger amount never looks smaller than another.

    From $100 on in whole dollars, below that with cents unless they are zero, and with four
    decimals below a cent.
    """
    decimals = CENTS if abs(value) >= 10**-CENTS else BELOW_A_CENT
    size = round(abs(value), decimals)
    if size >= MIN_WHOLE or size == round(size):
        size, decimals = round(abs(value)), 0
    sign = "-" if value < 0 and size else ""
    return f"{sign}${size:,.{decimals}f}"
