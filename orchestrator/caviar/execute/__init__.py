"""Runs leases: in this process, or as Ray tasks."""
