"""Programs that run in the app's container, by its own Python; only their text is used here."""
