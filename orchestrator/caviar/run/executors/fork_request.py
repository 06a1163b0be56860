"""Asks the fork server for a worker: what Ray's raylet runs in a worker's place, with the worker's own command line.

    python -I -S fork_request.py SOCKET [FLAGS] default_worker.py ARGUMENTS

It sends all that Ray would have handed down to the worker: environment, folder, umask, process group, signal mask,
streams. Where nobody answers, it becomes that worker, as if it had never been asked. It is run as a file by itself, and
imports what is quickest, for a trial waits for it.
"""

import _signal  # type: ignore[import-not-found]  # what `signal` is made of
import _socket
import array
import marshal
import os
import sys

PATIENCE_S = 20.0
"""Ray waits for 60 s until a worker says that it is there; time is left to become one."""
GO = b"+"


def main() -> None:
    """Ask; end when there is a worker, and else become it."""
    command = sys.argv[2:]
    if not forked(sys.argv[1], command):
        os.execv(sys.executable, [sys.executable, *command])


def forked(address: str, command: list[str]) -> bool:
    """Whether the server has forked a worker."""
    mask = os.umask(0o77)
    os.umask(mask)
    asked = {
        "command": command[next(at for at, word in enumerate(command) if word[:1] != "-") :],
        "environment": dict(os.environb.items()),
        "folder": os.getcwd(),
        "umask": mask,
        "group": 0 if os.getpgid(0) == os.getpid() else os.getpgid(0),
        "blocked": [int(number) for number in _signal.pthread_sigmask(_signal.SIG_BLOCK, ())],
    }
    data = marshal.dumps(asked)
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        server.settimeout(PATIENCE_S)
        server.connect(address)
        streams = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
        server.sendmsg([len(data).to_bytes(8, "big")], streams)
        server.sendall(data)
        # The worker begins when it hears that it may: of two with the same number, one would be too many.
        if server.recv(1) != GO:
            return False
        server.sendall(GO)
    except OSError:
        return False
    finally:
        server.close()
    return True


if __name__ == "__main__":
    main()
