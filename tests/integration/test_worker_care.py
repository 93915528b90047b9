"""Concerns, things that are not words, and a person's rights, through the whole worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels.conversation import (
    Channel,
    Concern,
    Delivery,
    ForgetMe,
    HandOver,
    Media,
    MyInfo,
    Note,
    Reply,
    Sender,
    Turn,
)
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from tests.integration.test_worker import said, silence, talk
from tests.worker_builders import LIST, WORDING, Bench, cut_short
