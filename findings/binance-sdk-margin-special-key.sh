#!/usr/bin/env bash
# binance-sdk-margin-trading 8.9.0 (PyPI): the calls that read, change and delete one special key of a margin account.
#
# Expected by most: the calls take the key that they are about. Binance's own text on them says that a key is deleted by `apiKey`, and
#   that a deletion by name deletes every key of that name.
# Seen: none of the three has a parameter for it. A key can only be deleted by name. (The parameter has the same name as the header that
#   says who calls, and was probably removed with it.)
#
# Prints what was seen, and exits with 1 if that has changed. Needs python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check binance-sdk-margin-trading==8.9.0
seen=$("$folder/venv/bin/python" - 2>"$folder/log" <<'PY'
import inspect

from binance_sdk_margin_trading.rest_api import MarginTradingRestAPI

for name in ["query_special_key", "edit_ip_for_special_key", "delete_special_key"]:
    parameters = inspect.signature(getattr(MarginTradingRestAPI, name)).parameters
    print(name, [parameter for parameter in parameters if parameter != "self"])
PY
) || { cat "$folder/log" >&2; exit 1; }
wanted=$(cat <<'TEXT'
query_special_key ['symbol', 'recv_window']
edit_ip_for_special_key ['ip', 'symbol', 'recv_window']
delete_special_key ['api_name', 'symbol', 'recv_window']
TEXT
)
echo "$seen"
if [ "$seen" != "$wanted" ]; then
  echo "this has changed; it was:" >&2
  echo "$wanted" >&2
  exit 1
fi
