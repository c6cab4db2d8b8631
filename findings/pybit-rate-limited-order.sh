#!/usr/bin/env bash
# pybit 5.17.0 (PyPI): an order that Bybit refuses because of its rate limit (retCode 10006), each time.
#
# Expected by most: the exception in the end has Bybit's code 10006 and its text, so that a bot can slow down.
# Seen: the order is sent three times, two seconds apart, and the exception says "Bad Request. Retries exceeded maximum." with the code
#   400, which Bybit never sent. A handler of rate limits does not see it.
#
# Prints what was seen, and exits with 1 if that has changed. Needs python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pybit==5.17.0
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
from pybit.unified_trading import HTTP

response[1] = '{"retCode": 10006, "retMsg": "Too many visits", "result": {}, "retExtInfo": {}, "time": 1}'
bybit = HTTP(api_key="k", api_secret="s")
bybit.endpoint = url
try:
    bybit.place_order(category="spot", symbol="ABCUSDT", side="Buy", orderType="Limit", qty="1", price="2")
except Exception as error:
    print("sent", len(requests), "times:", type(error).__name__, error.status_code, error.message)
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
sent 3 times: FailedRequestError 400 Bad Request. Retries exceeded maximum.
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
