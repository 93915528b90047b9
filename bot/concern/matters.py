"""What a concern is about: kinds that are told alike are recognised together, and told apart afterwards.

A message by somebody who thinks of dying may ask for a way, tell of an attempt, or just say it; one head that has
heard all of them finds each of them more surely than a head for each.
"""

from __future__ import annotations

from enum import StrEnum

from channels.conversation import Concern


class Matter(StrEnum):
    OWN_LIFE = "own_life"
    """The writer's own life or body is in their own hands."""
    BEING_HURT = "being_hurt"
    """Somebody or something hurts, controls or endangers the writer, or a child."""
    EATING = "eating"
    SOMEBODY_ELSE = "somebody_else"
    """The writer worries about another person."""


KINDS_OF: dict[Matter, tuple[Concern, ...]] = {
    Matter.OWN_LIFE: (Concern.SUICIDE, Concern.SELF_HARM, Concern.METHOD_SEEKING, Concern.ATTEMPT),
    Matter.BEING_HURT: (Concern.ABUSE, Concern.CHILD_AT_RISK, Concern.DANGER_NOW),
    Matter.EATING: (Concern.EATING_DISORDER,),
    Matter.SOMEBODY_ELSE: (Concern.SOMEONE_ELSE,),
}
