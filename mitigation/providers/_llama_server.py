"""A process of its own: serve one model file on a free loopback port until standard input closes.

Run as `python -m mitigation.providers._llama_server`; reads one JSON line {"model", "key", "alias", "slots", "context"} and
writes one JSON line {"port"}. The key travels by pipe, so it stands in no process list. When the parent dies, even by
SIGKILL, its end of the pipe closes and this process ends.
"""

from __future__ import annotations

import json
import os
import sys
from urllib.parse import urlsplit

import xllamacpp


def main() -> None:
    """Serve until standard input ends."""
    order = json.loads(sys.stdin.readline())
    params = xllamacpp.CommonParams()
    params.model.path = order["model"]
    params.model_alias = [order["alias"]]
    params.api_keys = [order["key"]]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.verbosity = 0
    params.n_parallel = order["slots"]
    params.n_ctx = order["slots"] * order["context"]
    # One thread a server: two threads that share a busy core wait for each other at every layer.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.n_threads_http = 2
    # The history of a slot is reused by naming the slot; a second copy in memory would only cost.
    params.cache_ram_mib = 0
    server = xllamacpp.Server(params)
    print(json.dumps({"port": urlsplit(server.listening_address).port}), flush=True)
    sys.stdin.read()
    # The server's threads outlive its object for seconds; nothing is left to flush.
    os._exit(0)


if __name__ == "__main__":
    main()
