"""The stages of an iteration, for both loops: prepare, begin, simulate, measure, update, finish."""
