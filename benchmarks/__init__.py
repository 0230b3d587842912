"""What a deploy costs, beside its peers: the same site, the same server, the same changes."""
