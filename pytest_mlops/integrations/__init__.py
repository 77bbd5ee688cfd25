"""Every optional library, behind the protocols of core; loaded on first use."""
