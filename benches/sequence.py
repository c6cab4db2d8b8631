"""The calls of sequence.rs with Kalshi's own Python SDK: see README.md."""

import os
import sys
import time

from kalshi_python_sync import Configuration, KalshiClient

calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
configuration = Configuration(host=os.environ["VENUEKIT_LOCAL_URL"] + "/trade-api/v2")
configuration.api_key_id = os.environ["KALSHI_LOCAL_KEY_ID"]
configuration.private_key_pem = os.environ["KALSHI_LOCAL_PRIVATE_KEY"]
client = KalshiClient(configuration)
for _ in range(calls):
    client.get_balance()
print(f"{calls} calls: {time.process_time():.3f} s of processor time")
