"""The app's SQLite database on a server: its snapshots, and what a migration would do to it."""
