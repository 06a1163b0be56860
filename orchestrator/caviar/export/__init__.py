"""Sweeps for the tools next door. Their packages are imported when a sweep goes to them, and none is a dependency."""
