"""What can be told, to whom, and how it reaches them. Pure."""
