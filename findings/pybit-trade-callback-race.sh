#!/usr/bin/env bash
# pybit 5.17.0 (PyPI): orders over the WebSocket for trading, at a venue whose response comes soon.
#
# Expected by most: each order's callback, or its error_callback if the order is refused, is called, however soon the response comes.
# Seen: place_order sends the order, and only then registers its callbacks, while another thread reads. A response that is read in between
#   has no callback: that of an executed order is logged as one for an "unregistered reqId" and dropped, and of a refused one no
#   error_callback is called. Nothing is raised. The callback is registered after that, and kept for ever.
#
# How often depends on the rest of the program. Measured with a local venue and two cores: one order in 700; where another thread of the
# program computes, one in six. To show it each time, the thread that places the orders has the idle priority of Linux here, and all
# share a core: after its send, it runs on when nobody else has something to do. pybit is not changed, except for the URL.
#
# Prints what was seen, and exits with 1 if that has changed. Needs Linux and python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pybit==5.17.0 websocket-client==1.9.2 websockets==17.4
seen=$("$folder/venv/bin/python" - 2>"$folder/log" <<'PY'
import asyncio
import json
import logging
import multiprocessing
import os
import sys
import threading
import time

import pybit._websocket_trading
from pybit.unified_trading import WebSocketTrading
from websockets.asyncio.server import serve

ORDERS = 20


def response(request):
    """What Bybit documents as the response to a log-on, or to an order: one that is executed, or one that the balance is too small for."""
    if request["op"] == "auth":
        return {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c"}
    order = request["args"][0]
    refused = order["symbol"] == "REFUSEDUSDT"
    return {
        "reqId": request["reqId"],
        "retCode": 170131 if refused else 0,
        "retMsg": "Balance insufficient." if refused else "OK",
        "op": request["op"],
        "data": {} if refused else {"orderId": "1" + order["orderLinkId"], "orderLinkId": order["orderLinkId"]},
        "retExtInfo": {},
        "header": {"X-Bapi-Limit": "20", "X-Bapi-Limit-Status": "19", "Timenow": "1"},
        "connId": "c",
    }


async def venue(port):
    """Responds to each request at once. Says on which port."""

    async def respond(connection):
        async for text in connection:
            await connection.send(json.dumps(response(json.loads(text))))

    async with serve(respond, "127.0.0.1", 0) as server:
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()


def wait(what, done):
    end = time.monotonic() + 60
    while not done():
        if time.monotonic() > end:
            sys.exit(f"waited too long for {what}")
        time.sleep(0.01)


class Log(logging.Handler):
    """Keeps what pybit logs."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())

    def count(self, text):
        return sum(text in line for line in self.lines)


def place(bybit, symbol, called, failed):
    """Places orders from a thread that runs when no other has something to do."""

    def run():
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        order = {"category": "spot", "symbol": symbol, "side": "Buy", "orderType": "Limit", "qty": "1", "price": "2"}
        for number in range(ORDERS):
            bybit.place_order(called.append, failed.append, orderLinkId=f"{symbol}-{number}", **order)
            time.sleep(0.002)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait("the orders", lambda: not thread.is_alive())


os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
processes = multiprocessing.get_context("fork")
read, write = processes.Pipe(duplex=False)
processes.Process(target=lambda: asyncio.run(venue(write)), daemon=True).start()
if not read.poll(60):
    sys.exit("the venue does not start")
pybit._websocket_trading.TRADE_WSS = f"ws://127.0.0.1:{read.recv()}/v5/trade"
log = Log()
logging.getLogger("pybit").addHandler(log)
bybit = WebSocketTrading(testnet=False, api_key="k", api_secret="s")
wait("the log-on", lambda: bybit.auth)

called, failed = [], []
place(bybit, "ABCUSDT", called, failed)
wait("the responses", lambda: len(called) + log.count("unregistered reqId") == ORDERS)
print("executed: every callback called:", len(called) == ORDERS, "- errors:", len(failed))
print("  the others: logged as unregistered, callback kept:", len(bybit.callback_directory) == ORDERS - len(called))

bybit.callback_directory.clear()
called.clear()
place(bybit, "REFUSEDUSDT", called, failed)
wait("the responses", lambda: log.count("returned an error") == ORDERS)
bybit.exit()
bybit.wst.join(60)
print("refused: every error_callback called:", len(failed) == ORDERS, "- callbacks:", len(called))
print("  the others: error_callback kept:", len(bybit.callback_directory) == ORDERS - len(failed))
print(f"of {ORDERS} each, called {len(called)} and {len(failed)}", file=sys.stderr)
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
executed: every callback called: False - errors: 0
  the others: logged as unregistered, callback kept: True
refused: every error_callback called: False - callbacks: 0
  the others: error_callback kept: True
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
