"""The lowest and the highest probability of a forecast."""

# Probabilities are kept off 0 and 1, where one wrong prediction would have an infinite log loss.
MIN_PROBABILITY, MAX_PROBABILITY = 1e-6, 1 - 1e-6
