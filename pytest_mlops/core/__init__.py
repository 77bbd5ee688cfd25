"""Frozen values, outcomes and protocols that every other room speaks in."""
