"""What was measured: mergeable tables, and metrics with intervals on them."""
