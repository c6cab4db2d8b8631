#!/usr/bin/env bash
# yativo-crypto-sdk 1.0.1 (PyPI): a text in the body of a request that contains "on", then letters, digits or "_", then "=".
#
# Expected by most: the text reaches the venue as it is, or is refused.
# Seen: those characters are removed from each such text of each body, without an error, as if it were HTML. A webhook is created for
#   another URL: "contract=7" becomes "c7". A user is registered with another, shorter password. A key's secret in base64 that contains
#   them is cut by get_token, but not where it is given to the constructor: then it is sent in a header.
#
# Prints what was seen, and exits with 1 if that has changed. Needs python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check yativo-crypto-sdk==1.0.1
seen=$("$folder/venv/bin/python" - 2>"$folder/log" <<'PY'
import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

requests = []


class Venue(BaseHTTPRequestHandler):
    """Keeps each request, and gives the same response to all."""

    def respond(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        requests.append((self.headers, json.loads(body or b"{}")))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = respond

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
from yativo import YativoSDK


def show(what, given, sent):
    print(f"{what}: given {given}, sent {sent}")


yativo = YativoSDK(base_url=url)
webhook = "https://bot.example/hook?contract=7&account=5"
yativo.webhooks.create(webhook, ["transaction.initiated"])
show("webhook", webhook, requests[-1][1]["url"])

password = "Salmon2=river"
yativo.auth.register("user@bot.example", password)
show("password", password, requests[-1][1]["password"])

secret = base64.b64encode(b"no secret but an example\xa2\x79\xd9\xd7").decode()
yativo.auth.get_token("key", secret)
body = requests[-1][1]["api_secret"]
YativoSDK(api_key="key", api_secret=secret, base_url=url).accounts.list()
header = requests[-1][0]["X-API-Secret"]
print(f"secret: given {len(secret)} characters, sent {len(body)} in the body, {len(header)} in the header")
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
webhook: given https://bot.example/hook?contract=7&account=5, sent https://bot.example/hook?c7&account=5
password: given Salmon2=river, sent Salmriver
secret: given 40 characters, sent 33 in the body, 40 in the header
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
