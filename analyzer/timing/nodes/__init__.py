"""What models take, and their nodes."""
