"""Judging a model: run it once over the data, hold the figures against the rules."""
