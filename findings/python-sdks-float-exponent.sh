#!/usr/bin/env bash
# binance-sdk-spot 13.3.0, python-binance 1.0.37 and pybit 5.17.0 (PyPI): how a quantity of 0.00001 reaches the venue.
#
# Expected by most: a client for Binance or Bybit writes a float as the decimal text that the venue asks for: 0.00001.
# Seen: all three send Python's own form, 1e-05, with an exponent. For binance-sdk-spot the parameter is declared as a float, so that
#   its users have no reason to pass a text.
#
# Prints what was seen, and exits with 1 if that has changed. Needs python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check binance-sdk-spot==13.3.0 python-binance==1.0.37 pybit==5.17.0
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
import json
from urllib.parse import parse_qs, urlsplit

from binance.client import Client
from binance_common.configuration import ConfigurationRestAPI
from binance_sdk_spot.spot import Spot
from pybit.unified_trading import HTTP

response[1] = '{"symbol": "ABCUSDT", "orderId": 5}'
spot = Spot(config_rest_api=ConfigurationRestAPI(api_key="k", api_secret="s", base_path=url))
spot.rest_api.new_order(symbol="ABCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.00001, price=2.0)
print("binance-sdk-spot", parse_qs(urlsplit(requests[-1][1]).query)["quantity"][0])

client = Client("k", "s", ping=False)
client.API_URL = url + "/api"
client.create_order(symbol="ABCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity=0.00001, price=2.0)
print("python-binance", parse_qs(requests[-1][2])["quantity"][0])

response[1] = '{"retCode": 0, "retMsg": "OK", "result": {"orderId": "5"}, "retExtInfo": {}, "time": 1}'
bybit = HTTP(api_key="k", api_secret="s")
bybit.endpoint = url
bybit.place_order(category="spot", symbol="ABCUSDT", side="Buy", orderType="Limit", qty=0.00001, price=2.0)
print("pybit", json.loads(requests[-1][2])["qty"])
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
binance-sdk-spot 1e-05
python-binance 1e-05
pybit 1e-05
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
