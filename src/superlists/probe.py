"""The container's health check asks the site by a name that it allows."""

import os
import sys
from http.client import HTTPConnection, HTTPException

PORT = 8888


def main() -> int:
    connection = HTTPConnection("127.0.0.1", PORT, timeout=2)
    try:
        connection.request("GET", "/health", headers={"Host": allowed_host(), "Connection": "close"})
        response = connection.getresponse()
        sys.stdout.write(response.read(200).decode(errors="replace"))
    except (OSError, HTTPException) as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        return 1
    finally:
        connection.close()
    return 0 if response.status == 200 else 1  # noqa: PLR2004 (http.HTTPStatus costs a third of the probe)


def allowed_host() -> str:
    first = os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",")[0].strip()
    return first.removeprefix(".").replace("*", "") or "localhost"


if __name__ == "__main__":
    sys.exit(main())
