"""Say what a site runs with, and print it as JSON: its database, a digest of its key, its hosts, what lies beside.

Runs under ``manage.py shell -c`` in a container that serves; nothing is changed, and no secret is printed.
"""

import hashlib
import json
import os

from django.conf import settings
from django.db import connection

name = str(connection.settings_dict["NAME"])
real = os.path.realpath(name)
folder = os.path.dirname(real)
own = [os.path.basename(real) + end for end in ("", "-wal", "-shm", "-journal")]
print(
    "\npytest-deploy:"
    + json.dumps(
        {
            "vendor": connection.vendor,
            "database": real if connection.vendor == "sqlite" else "",
            "named": os.path.abspath(name),
            "beside": sorted(set(os.listdir(folder)) - set(own)) if os.path.isdir(folder) else [],
            "key": hashlib.sha256(settings.SECRET_KEY.encode()).hexdigest(),
            "hosts": list(settings.ALLOWED_HOSTS),
        }
    )
)
