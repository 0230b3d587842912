"""The proxy in front of the apps of a server: Caddy, which is told by a file where an app's visitors go."""
