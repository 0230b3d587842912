"""What is promised of a deploy, put to the proof: under load, killed, and with the server failing under it."""
