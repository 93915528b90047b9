"""What help exists near people, and how a message in their own words finds it."""
