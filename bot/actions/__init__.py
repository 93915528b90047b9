"""What the assistant decides and says: plain functions, and the small server that Rasa calls them through."""
