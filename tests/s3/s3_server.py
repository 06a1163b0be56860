"""An S3 server (moto) as a process of its own, on a free port of 127.0.0.1; ends when its standard input does."""

import logging
import sys

from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(*server.get_host_and_port(), flush=True)
    sys.stdin.read()
    server.stop()
