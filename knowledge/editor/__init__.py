"""Catalogue pages for editors. For now they read: look through the listings, and try what a message finds."""

from __future__ import annotations

from knowledge.editor.app import create_app

__all__ = ["create_app"]
