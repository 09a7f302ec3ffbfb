"""Ports for programs that cannot choose one themselves."""

import os
import random
import socket

BELOW_THOSE_THAT_THE_KERNEL_DEALS_OUT = range(10_000, 30_000)
"""Linux gives connections and servers that let it choose 32768 and more (ip(7)), so that nobody
else takes one of these between the moment when it is found free and the one when it is used."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    chance = random.Random(os.urandom(8))
    while True:
        port = chance.choice(BELOW_THOSE_THAT_THE_KERNEL_DEALS_OUT)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
