"""What pytest must know before it looks into ``tests``: its own test harness."""

pytest_plugins = ["pytester"]
