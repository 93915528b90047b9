"""The web chat: one page that works without JavaScript, and gets livelier with it."""

from channels.webchat.routes import WebChat

__all__ = ["WebChat"]
