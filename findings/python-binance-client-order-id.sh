#!/usr/bin/env bash
# python-binance 1.0.37 (PyPI): the client order id of an order for which the caller gives none.
#
# Expected by most: none is sent, and Binance makes one; or the package makes a random one.
# Seen: it begins with x-HNA2TXFJ, the form that Binance gives to its brokers' programs, which marks each order as one that came through
#   the author's. An id of the caller's own is left alone.
#
# Prints what was seen, and exits with 1 if that has changed. Needs python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-binance==1.0.37
seen=$("$folder/venv/bin/python" - 2>"$folder/log" <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

requests, response = [], [200, "{}"]


class Venue(BaseHTTPRequestHandler):
    """Keeps each request, and gives the same response to all."""

    def respond(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        requests.append((self.command, self.path, body))
        text = response[1].encode()
        self.send_response(response[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = respond

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
from urllib.parse import parse_qs

from binance.client import Client

client = Client("k", "s", ping=False)
client.API_URL = url + "/api"
order = {"symbol": "ABCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "2"}
client.create_order(**order)
print("none given:", parse_qs(requests[-1][2])["newClientOrderId"][0][:10])
client.create_order(**order, newClientOrderId="mine-1")
print("mine-1 given:", parse_qs(requests[-1][2])["newClientOrderId"][0])
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
none given: x-HNA2TXFJ
mine-1 given: mine-1
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
