"""`python -m tests.doubles.arango --port 8529 [--password P]`"""

from __future__ import annotations

from tests.doubles.arango.app import VERSION, ArangoDouble
from tests.doubles.served.process import arguments, parsed, serve


def main() -> None:
    parser = arguments("arango")
    parser.add_argument("--password", help="of root; without it any login is accepted")
    parser.add_argument("--version", default=VERSION, help="what the double says it is")
    asked = parsed(parser)
    serve(ArangoDouble(asked.password, asked.version), asked.port)


if __name__ == "__main__":
    main()
