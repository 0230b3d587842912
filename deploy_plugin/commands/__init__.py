"""The commands of ``pytest-deploy``, a module each: functions that take what was typed and return an exit code.

Nothing here imports pytest or docker before it needs it: help and the commands for sandboxes start at once.
"""
