"""An S3 server (moto) as a process of its own, on a free port of 127.0.0.1; ends when its standard input does.

With an address and a port, it is there until it is killed.
"""

import logging
import signal
import sys

from moto import backends
from moto.server import ThreadedMotoServer
from werkzeug.serving import WSGIRequestHandler

SERVICES = list(backends.list_of_moto_modules())

if __name__ == "__main__":
    address, port = sys.argv[1:] or ("", "0")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    backends.list_of_moto_modules = lambda: SERVICES  # else it looks through its own folders at each request
    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # and takes a connection and a thread for each
    WSGIRequestHandler.disable_nagle_algorithm = True
    server = ThreadedMotoServer(ip_address=address or "127.0.0.1", port=int(port), verbose=False)
    server.start()
    print(*server.get_host_and_port(), flush=True)
    signal.pause() if address else sys.stdin.read()
    server.stop()
