"""What we measure ourselves and our peers with; `make bench` runs it."""
