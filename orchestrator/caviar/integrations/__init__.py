"""Callbacks that report a framework's training to a trial. Each file imports its framework, and nothing of ours."""
