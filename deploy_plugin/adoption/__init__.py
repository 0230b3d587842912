"""Take over a server that was deployed to by other means, with its rows and its sessions."""
