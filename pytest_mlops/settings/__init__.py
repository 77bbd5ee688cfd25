"""Typed configuration, and the only readers of TOML, environment and options."""
