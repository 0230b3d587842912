"""The plugin that this checkout develops, and pytest's own tool for testing plugins."""

pytest_plugins = ["deploy_plugin.plugin", "pytester"]
