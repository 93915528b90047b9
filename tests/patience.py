"""How long a test waits for what must come: long, because a busy machine is no failure of the code.

Where all is well it is never waited out, so it costs nothing.
"""

from __future__ import annotations

from typing import Final

SECONDS: Final = 30.0
MILLISECONDS: Final = 30_000
"""The same for Playwright."""
