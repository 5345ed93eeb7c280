"""Prints what happens on the bus, one line a record: metadata only.

    LCP_BUS_DIR=/run/lcp python observe.py [TOPIC…]

Topics are prefixes: `job/`, `settlement`, `payment`, `peer/`. Without any, all but heartbeats.
"""

import sys

from google.protobuf.json_format import MessageToJson
from lcp_bus import Bus, Gap, Observer

topics = sys.argv[1:] or ["job/", "settlement", "payment", "peer/"]
with Observer(Bus.from_environment(), topics=topics) as observer:
    try:
        for record in observer:
            if isinstance(record, Gap):
                print(f"gap: {record.reason} {record.records or ''}", flush=True)
            else:
                print(record.topic, MessageToJson(record.message, indent=None), flush=True)
    except KeyboardInterrupt:
        pass
