"""Drift: how far the columns of current data lie from those of a reference."""
