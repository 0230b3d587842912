"""An open connection to a target: run a command, read and write a file, talk to its Docker engine."""
