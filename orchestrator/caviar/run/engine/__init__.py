"""Decides which trials run next, and keeps the books."""
