"""The server; how ssh reaches it stands in an ssh_config."""

import os

server = [
    (
        os.environ["SERVER"],
        {
            "ssh_config_file": os.environ["SSH_CONFIG"],
            "ssh_paramiko_connect_kwargs": {"compress": os.environ["COMPRESS"] == "yes"},
        },
    )
]
