"""Whether this process ends at once when it has said all it has to say, as the command line does.

Then nothing that is loaded is taken apart: not the interpreter, and not Ray's client of a cluster that was joined. That
takes a second, and Ray's own threads have crashed over it, which made a failure of a sweep that had come to its end.
The cluster notices by the connection that its driver has gone.
"""

_begun: list[bool] = []


def end_quickly() -> None:
    """From now on this process does; whoever says so calls `os._exit` after the exit functions."""
    _begun.append(True)


def ends_quickly() -> bool:
    """Whether this process does."""
    return bool(_begun)
