"""Telegram: reading its updates, sending, and its menu. Its types and its Bot are the library's, its Updater is not
used: that one keeps updates in memory and loses them in a crash."""

from channels.telegram.client import Telegram
from channels.telegram.nouns import Arrival, GroupCall, Press, Reach

__all__ = ["Arrival", "GroupCall", "Press", "Reach", "Telegram"]
