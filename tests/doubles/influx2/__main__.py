"""`python -m tests.doubles.influx2 --port 8086 [--token T] [--org O]`"""

from __future__ import annotations

from tests.doubles.influx2.app import VERSION, InfluxDouble
from tests.doubles.served.process import arguments, parsed, serve


def main() -> None:
    parser = arguments("influx2")
    parser.add_argument("--token", help="of the first user; without it any login is accepted")
    parser.add_argument("--org", default="double", help="the organization that is there")
    parser.add_argument("--fresh", action="store_true", help="not set up yet: POST /api/v2/setup does it")
    parser.add_argument("--version", default=VERSION, help="what the double says it is")
    asked = parsed(parser)
    serve(InfluxDouble(asked.token, asked.org, asked.version, set_up=not asked.fresh), asked.port)


if __name__ == "__main__":
    main()
