"""Where peer workers see who waits, take a conversation, read its story, and answer. Pages at /desk."""

from channels.desk.site import routes

__all__ = ["routes"]
