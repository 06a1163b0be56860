"""Callbacks that report a framework's training to a trial. Who imports a file needs its framework."""
