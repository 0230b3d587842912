"""The app's image: its name, its build, its way to the server."""
