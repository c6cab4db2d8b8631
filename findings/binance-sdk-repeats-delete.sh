#!/usr/bin/env bash
# binance-sdk-spot 13.3.0 with binance-common 4.7.0 (PyPI): an order is cancelled, and the venue responds with 503 and the code -1007,
# after which, it says, nobody knows whether the call was executed.
#
# Expected by most: a call that changes something is sent once, as the same package does with a POST, and the error has the code.
# Seen: the DELETE is sent four times. The error is "Server error: 503" for DELETE and POST alike: the code -1007 is lost.
#
# Prints what was seen, and exits with 1 if that has changed. Needs python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check binance-sdk-spot==13.3.0 binance-common==4.7.0
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
from binance_common.configuration import ConfigurationRestAPI
from binance_sdk_spot.spot import Spot

response[:] = [503, '{"code": -1007, "msg": "Timeout waiting for response from backend server."}']
spot = Spot(config_rest_api=ConfigurationRestAPI(api_key="k", api_secret="s", base_path=url, backoff=1))
order = {"symbol": "ABCUSDT", "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 1.0, "price": 2.0}
for name, call in [
    ("DELETE", lambda: spot.rest_api.delete_order(symbol="ABCUSDT", order_id=5)),
    ("POST", lambda: spot.rest_api.new_order(**order)),
]:
    requests.clear()
    try:
        call()
    except Exception as error:
        print(name, "sent", len(requests), "times:", type(error).__name__, vars(error))
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
DELETE sent 4 times: ServerError {'error_message': 'Server error: 503', 'status_code': 503}
POST sent 1 times: ServerError {'error_message': 'Server error: 503', 'status_code': 503}
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
