"""Reads datagrams of DogStatsD, each as a line of hexadecimal digits, and prints their metrics as JSON.

Written from the description of the datagrams (METRIC:VALUE|TYPE|@RATE|#TAG:VALUE,TAG), not from sluice.
"""

import json
import re
import sys

METRIC = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_.]*):(?P<value>-?[0-9]+(\.[0-9]+)?)\|(?P<type>c|g|ms|h|d|s)"
    r"(\|@(?P<rate>[0-9.]+))?(\|#(?P<tags>[^|\n]*))?"
)

metrics = []
for datagram in sys.stdin.read().split():
    for line in bytes.fromhex(datagram).decode("utf-8").split("\n"):
        found = METRIC.fullmatch(line)
        if found is None:
            sys.exit(f"not a metric of DogStatsD: {line!r}")
        tags = found["tags"].split(",") if found["tags"] else []
        if any(not tag or tag != tag.strip() for tag in tags):
            sys.exit(f"an empty tag, or spaces around one: {line!r}")
        metrics.append({
            "name": found["name"],
            "value": float(found["value"]),
            "type": found["type"],
            "tags": tags,
        })
print(json.dumps(metrics))
