"""Which of the candidates a person is given, and in what order. Pure.

The ladder: crisis lines, what was named, the best for each need, the next best and what sounds alike, related
needs, company for anybody, national lines, anything. Every rung keeps the same rules: nobody twice, one
organisation once in the first three, something open to everyone beside what is for some, nothing closed
before something that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.catalogue import Area, Kind, Service, Status
from knowledge.hours import Opening

FIRST_LOOK = 3
"""How many a person sees at once: within these an organisation comes once."""
CARRIES = 0.69
"""From this share on a service is for a need, rather than near it: all that an editor chose are, a guess from its text
(the root of a probability) when it is about as likely as not."""
CRISIS_LINES = 2
_AGE_ORDER = {True: 0, None: 1, False: 2}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A service with all that choosing looks at.

    `score` is its fit to the whole message, `fits` to the part that speaks of each need; `serves` is need id
    to share, 0 to 1.
    """

    service: Service
    score: float
    serves: Mapping[str, float]
    opening: Opening
    fits: Mapping[str, float] = field(default_factory=dict)
    named: bool = False
    likely: bool = False
    """Its own words are close to the message."""
    miles: float | None = None
    far: bool = False
    """Out of reach of the place somebody gave: for another town or county."""
    served: bool | None = None
    """Whether that place is in the area its source drew; None when nothing was drawn or nobody gave a place."""
    suits_age: bool | None = None

    @property
    def paused(self) -> bool:
        return self.service.status is not Status.ACTIVE

    def carries(self, need: str) -> bool:
        return self.serves.get(need, 0.0) >= CARRIES

    def answers(self, need: str) -> float:
        """How likely it is for a need: certain when an editor chose it; `serves` keeps a guess as its root."""
        return 1.0 if need in self.service.needs else self.serves.get(need, 0.0) ** 2


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A need somebody asked for. `sure` when the message says it plainly; `crisis` are the lines to offer first.

    `chance` is the probability that it was meant.
    """

    need: str
    sure: bool = True
    chance: float = 1.0
    urgency: int = 1
    related: tuple[str, ...] = ()
    crisis: tuple[str, ...] = ()
    crisis_lines: int = 1


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A chosen candidate, for which need, on which rung: crisis, named, need, near, related, general, line or any."""

    candidate: Candidate
    rung: str
    need: str | None = None


@dataclass
class _Tray:
    """Picks so far, and the rules that hold on every rung."""

    limit: int
    exclude: Collection[str]
    any_owner: bool = False
    picks: list[Pick] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.picks) >= self.limit

    def add(self, candidates: Iterable[Candidate], rung: str, need: str | None, at_most: int) -> None:
        for candidate in candidates:
            if self.full or at_most == 0:
                return
            if self._allows(candidate):
                self.picks.append(Pick(candidate=candidate, rung=rung, need=need))
                at_most -= 1

    def _allows(self, candidate: Candidate) -> bool:
        taken = {pick.candidate.service.id for pick in self.picks}
        if candidate.service.id in taken or candidate.service.id in self.exclude:
            return False
        owners = {pick.candidate.service.organisation.id for pick in self.picks}
        return self.any_owner or len(self.picks) >= FIRST_LOOK or candidate.service.organisation.id not in owners


def choose(
    candidates: Sequence[Candidate],
    wishes: Sequence[Wish],
    *,
    limit: int,
    exclude: Collection[str] = (),
    general: Sequence[str] = (),
) -> tuple[Pick, ...]:
    """At most `limit` picks (one when it is less), never none while there is any candidate.

    `wishes` are most urgent first. `exclude`, what was shown before, gives way only when nothing else is left.
    `general` are needs to fall back on when nothing was understood.
    """
    ranked = sorted(candidates, key=lambda each: (each.paused, -each.score, each.service.id))
    tray = _Tray(limit=max(1, limit), exclude=frozenset(exclude))
    _climb(tray, ranked, wishes, general)
    if not tray.picks:
        tray.exclude = frozenset()
        _climb(tray, ranked, wishes, general)
    _pair(tray, ranked, wishes)
    _reach(tray, ranked)
    return tuple(tray.picks)


def _climb(tray: _Tray, ranked: Sequence[Candidate], wishes: Sequence[Wish], general: Sequence[str]) -> None:
    by_id = {each.service.id: each for each in ranked}
    for wish in wishes:
        lines = _answering([by_id[line] for line in wish.crisis if line in by_id])
        tray.add(lines, "crisis", wish.need, min(wish.crisis_lines, max(1, tray.limit - 1)))
    tray.add([each for each in ranked if each.named], "named", None, tray.limit)
    helped = {pick.need for pick in tray.picks}
    sure = sorted((wish for wish in wishes if wish.sure), key=lambda wish: wish.need in helped)
    for wish in sure if len(sure) > 1 else ():
        if not any(pick.candidate.carries(wish.need) and pick.rung != "crisis" for pick in tray.picks):
            tray.add(_for_need(ranked, wish.need), "need", wish.need, 1)
    _fill(tray, ranked, wishes, general)


def _answering(lines: Sequence[Candidate]) -> list[Candidate]:
    """Lines that answer now first, among them those made for that age; otherwise in the order given."""
    return sorted(lines, key=lambda each: (each.opening.is_open is False, _AGE_ORDER[each.suits_age]))


def _fill(tray: _Tray, ranked: Sequence[Candidate], wishes: Sequence[Wish], general: Sequence[str]) -> None:
    """The rest of the ladder. What an organisation has more of comes on its own rung, next after the first look; before
    that only when nobody else is left."""
    asked = [wish.need for wish in wishes]
    related = [need for wish in wishes for need in wish.related if need not in asked]

    def is_near(each: Candidate) -> bool:
        return not each.paused and (each.likely or _first(each, asked) is not None)

    rungs: tuple[tuple[str, Sequence[str], Callable[[Candidate], bool]], ...] = (
        ("near", asked, is_near),
        ("related", related, lambda each: not each.paused and _first(each, related) is not None),
        ("general", general, lambda each: not each.paused and each.service.needs[:1] in [(need,) for need in general]),
        ("line", (), _is_national_line),
        ("any", (), lambda each: True),
    )
    for any_owner in (False, True):
        tray.any_owner = any_owner
        for rung, needs, fits in rungs:
            for candidate in _in_turn(tray, filter(fits, ranked)):
                if tray.full:
                    return
                need = _first(candidate, needs)
                tray.add([candidate], "need" if rung == "near" and need else rung, need, 1)


def _in_turn(tray: _Tray, fitting: Iterable[Candidate]) -> Iterator[Candidate]:
    """Best first; those that the first look refused once more as soon as it is over. `tray` takes each meanwhile."""
    waiting: list[Candidate] = []
    for candidate in fitting:
        if waiting and len(tray.picks) >= FIRST_LOOK:
            yield from waiting
            waiting = []
        yield candidate
        if len(tray.picks) < FIRST_LOOK:
            waiting.append(candidate)
    if len(tray.picks) >= FIRST_LOOK:
        yield from waiting


def _pair(tray: _Tray, ranked: Sequence[Candidate], wishes: Sequence[Wish]) -> None:
    """Beside something for some people, something for the same need that is for everyone, where there is any."""
    for pick in list(tray.picks):
        if tray.limit < 2 or not pick.candidate.service.restricted or pick.need is None or pick not in tray.picks:
            continue
        if any(not other.candidate.service.restricted and other.candidate.carries(pick.need) for other in tray.picks):
            continue
        others = _Tray(limit=len(tray.picks) + 1, exclude=tray.exclude, picks=list(tray.picks))
        open_to_all = [each for each in _for_need(ranked, pick.need) if not each.service.restricted]
        others.add(open_to_all, "need" if pick.rung == "crisis" else pick.rung, pick.need, 1)
        if len(others.picks) > len(tray.picks):
            tray.picks.remove(_least_needed(tray.picks, pick, wishes))  # the tray is full, or the spare one were in it
            lines = sum(each.rung == "crisis" for each in tray.picks)
            place = tray.picks.index(pick) + 1 if pick in tray.picks else len(tray.picks)
            tray.picks.insert(max(place, lines), others.picks[-1])


def _reach(tray: _Tray, ranked: Sequence[Candidate]) -> None:
    """When all that was chosen is out of reach, the last gives way to a national line."""
    if tray.limit < 2 or len(tray.picks) < 2 or not all(pick.candidate.far for pick in tray.picks):
        return
    lines = _Tray(limit=1, exclude=tray.exclude, picks=[])
    lines.add(filter(_is_national_line, ranked), "line", None, 1)
    tray.picks[-1:] = lines.picks or tray.picks[-1:]


def _is_national_line(each: Candidate) -> bool:
    return each.service.kind is Kind.LINE and each.service.area is Area.NATIONAL and not each.paused


def _least_needed(picks: Sequence[Pick], keep: Pick, wishes: Sequence[Wish]) -> Pick:
    """The last pick that no need depends on; the restricted one itself when all others are needed."""
    for pick in reversed(picks):
        others = [other.candidate for other in picks if other is not pick]
        alone = any(
            pick.candidate.carries(wish.need) and not any(other.carries(wish.need) for other in others)
            for wish in wishes
        )
        if pick is not keep and pick.rung not in {"crisis", "named"} and not alone:
            return pick
    return keep


def _for_need(ranked: Sequence[Candidate], need: str) -> list[Candidate]:
    """Services that carry a need and are running, the best fit for that need first."""
    fitting = [each for each in ranked if each.carries(need) and not each.paused]
    return sorted(fitting, key=lambda each: -each.fits.get(need, each.score))


def _first(candidate: Candidate, needs: Sequence[str]) -> str | None:
    return next((need for need in needs if candidate.carries(need)), None)
