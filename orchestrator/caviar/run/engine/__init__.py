"""Decides which trials run next, and records what became of them."""
