"""`python -m tests.servers.grpcurl --fetch`: makes grpcurl ready for the tests of the docs."""

import argparse
import sys

from tests.servers.grpcurl.binary import fetch, grpcurl
from tests.servers.process import ServerMissing


def main() -> None:
    """Print where it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.grpcurl", description=__doc__)
    parser.add_argument("--fetch", action="store_true", help="fetch it where it is not there yet")
    options = parser.parse_args()
    try:
        print(fetch() if options.fetch else grpcurl())
    except ServerMissing as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
