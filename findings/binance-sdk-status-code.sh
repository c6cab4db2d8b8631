#!/usr/bin/env bash
# binance-common 4.7.0 with binance-sdk-spot 13.3.0 (PyPI): the member `status_code` of an error.
#
# Expected by most: the HTTP status of the response, and another member for the code of Binance.
# Seen: for 400 it is the code of Binance (-1121), and no member has the HTTP status; for 503 it is the HTTP status, and no member has
#   the code of Binance (-1008).
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

spot = Spot(config_rest_api=ConfigurationRestAPI(api_key="k", api_secret="s", base_path=url, retries=0))
for status, text in [(400, '{"code": -1121, "msg": "Invalid symbol."}'), (503, '{"code": -1008, "msg": "Server is busy."}')]:
    response[:] = [status, text]
    try:
        spot.rest_api.get_order(symbol="ABCUSDT", order_id=5)
    except Exception as error:
        print(status, type(error).__name__, vars(error))
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
400 BadRequestError {'error_message': 'Invalid symbol.', 'status_code': -1121}
503 ServerError {'error_message': 'Server error: 503', 'status_code': 503}
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
