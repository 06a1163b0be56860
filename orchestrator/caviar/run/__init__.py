"""Runs a sweep, or the rest of one: the one room that puts the others together."""
