"""pytest-deploy: look at targets, and at sandboxes."""
