"""Phones that exist only here, and the two providers they need, for trying the service without an account anywhere.

The fakes behave towards us as Twilio and Telegram do: they are called through the real client libraries, and they
call our webhooks over HTTP, signed the same way. Nothing in the product knows that they are fakes.
"""

from channels.simulator.misbehave import Misbehave
from channels.simulator.network import Simulator
from channels.simulator.routes import routes

__all__ = ["Misbehave", "Simulator", "routes"]
