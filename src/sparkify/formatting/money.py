"""Dollars as text."""

MIN_WHOLE = 100  # dollars, of which a cent is less than 0.01 %
CENTS, BELOW_A_CENT = 2, 4  # decimals


def format_dollars(value: float) -> str:
    """Format dollars so that a larger amount never looks smaller than another.

    Whole dollars from $100 on, cents below that unless they are zero, and four decimals below a
    cent.
    """
    decimals = CENTS if abs(value) >= 10**-CENTS else BELOW_A_CENT
    size = round(abs(value), decimals)
    if size >= MIN_WHOLE or size == round(size):
        size, decimals = round(abs(value)), 0
    sign = "-" if value < 0 and size else ""
    return f"{sign}${size:,.{decimals}f}"
