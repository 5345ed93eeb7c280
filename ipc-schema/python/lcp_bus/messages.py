"""Every message and enum value of the schema, under one name."""

from lcp.bus.v1.common_pb2 import *  # noqa: F403
from lcp.bus.v1.control_pb2 import *  # noqa: F403
from lcp.bus.v1.effects_pb2 import *  # noqa: F403
from lcp.bus.v1.events_pb2 import *  # noqa: F403
from lcp.bus.v1.feed_pb2 import *  # noqa: F403
from lcp.bus.v1.query_pb2 import *  # noqa: F403
from lcp.bus.v1.work_pb2 import *  # noqa: F403
