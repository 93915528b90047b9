"""What the assistant says and decides."""
