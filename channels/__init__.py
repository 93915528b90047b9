"""How people reach us, and who answers them."""
