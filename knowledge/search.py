"""From a message in somebody's own words to help that exists. Never empty, whatever was written.

message -> plain spelling, clauses -> vectors -> needs -> candidates -> choice -> matches with reasons
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from knowledge.boosts import Circumstances, boost, is_served, is_too_far, miles_to, suits_age
from knowledge.catalogue import Place, Service
from knowledge.choosing import CRISIS_LINES, Candidate, Pick, Wish, choose
from knowledge.crisis import LINES_FROM
from knowledge.embedding import Encoder, open_encoder, open_publisher
from knowledge.hours import Opening, opening
from knowledge.index import Index, load_index
from knowledge.names import EXACT, Names
from knowledge.needs import NeedGuess, weigh_urgency
from knowledge.places import Places, load_places, middle_of, miles_between
from knowledge.publish import is_fresh
from knowledge.reading import Reader, Reading, clean
from knowledge.reasons import reason_for
from knowledge.roll import Roll
from knowledge.scoring import Array, Evidence, View, look
from knowledge.second_opinion import SecondOpinion, open_opinion
from knowledge.settings import Settings
from knowledge.snapshots import current_snapshot, current_version
from knowledge.spelling import Spelling
from knowledge.threads import use_one_thread

MOST_NEEDS = 3
"""Needs of one message that are answered together."""
SURE = 0.35
"""From this probability on a need was asked for; below it, it may have been."""
PERHAPS = 0.15
GOOD = 0.55
"""Probability that a suggestion is for a need that was meant, from which it is called good. Three in four of those
are, both of phrasings held back from training and of a foreign catalogue that nobody tagged (README, Measured)."""
TWO_LINES = frozenset({"suicidal_thoughts", "self_harm"})
GUESSED = 0.05
LIKELY = 0.42
"""Cosine of message and listing from which its own words are close to what was written."""
AGREES = 1.0
"""Standard deviations of need agreement from which a service is near what was asked."""
SAME_NAME = 0.9
NAMED = 10.0
SHORT_LIST = 60
"""How many of the best for the message, and for each need in it, are looked at closely; more for a longer list."""
OVERALL = 1.0
"""Share of the fit to the whole message in the fit to one need of it: help for both is better than for one."""
GENERAL = ("loneliness", "community_spaces", "low_mood")
"""Needs to answer when a message says nothing that is understood: company and somebody to talk to."""
URGENT = 3
WHOLE = ""
"""The view of a message as a whole, beside one view for each need in it."""
STRENGTHS = {"named": "good", "crisis": "good", "near": "maybe"}


@dataclass(frozen=True, kw_only=True)
class Match:
    """One suggestion. `strength` is "good", "maybe" or "wider"; `reason` is for people who work here."""

    service: Service
    score: float
    strength: str
    reason: str
    opening: Opening
    need: str | None = None
    miles: float | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer to a message: `matches` has at least one. `needs` are the likeliest first."""

    matches: tuple[Match, ...]
    needs: tuple[NeedGuess, ...] = ()
    place: Place | None = None


class Search:
    """Holds one snapshot; `refresh` moves on to a newer one. Threads may share it."""

    def __init__(self, settings: Settings, index: Index, encoder: Encoder, spelling: Spelling, places: Places) -> None:
        self._settings = settings
        self._encoder = encoder
        self._spelling = spelling
        self._places = places
        self._shelf = self._fill(index)

    @classmethod
    def open(cls, settings: Settings) -> Search:
        """Load what set-up built. Raises IndexMissing, ModelNotTrusted or CatalogueFileError, each naming the fix."""
        use_one_thread()
        index = load_index(current_snapshot(settings.index_dir))
        places = load_places(settings.content_dir / "places", demo=settings.demo, home=_home(index.roll))
        spelling = Spelling.load(settings.content_dir / "sms_spelling.yml")
        return cls(settings, index, open_encoder(settings), spelling, places)

    @property
    def index(self) -> Index:
        """The snapshot that serves: its version, age, services and needs."""
        return self._shelf.index

    def is_fresh(self) -> bool:
        """Whether a publish now would change nothing: the snapshot is made of the catalogue as it is."""
        return is_fresh(self._settings, open_publisher(self._settings).id)

    def refresh(self) -> bool:
        """Take a newer snapshot if one was published. Raises IndexMissing; the old one then still serves.

        For a thread of its own: searches go on in the old snapshot until the new one is whole, and what began in one
        ends in it. The old files are let go with the last search that is in them.
        """
        if current_version(self._settings.index_dir) == self.index.version:
            return False
        self._shelf = self._fill(load_index(current_snapshot(self._settings.index_dir)))
        return True

    def _fill(self, index: Index) -> _Shelf:
        return _Shelf.of(index, self._encoder, self._spelling, open_opinion(self._settings, index.needs))

    def over(self, index: Index) -> Search:
        """The same search over another index."""
        return Search(self._settings, index, self._encoder, self._spelling, self._places)

    def service(self, service_id: str) -> Service | None:
        """A listing that may be offered now."""
        shelf = self._shelf
        row = shelf.rows.get(service_id)
        return None if row is None else shelf.index.services[row]

    def find(
        self,
        text: str,
        *,
        near: str | None = None,
        now: datetime | None = None,
        limit: int = 3,
        needs: Sequence[str] = (),
        exclude: Collection[str] = (),
    ) -> Found:
        """Up to `limit` suggestions, at least one, for whatever was written. Never raises for any text.

        `needs` are ids known from elsewhere (they count as said); `exclude` is what was shown before;
        `near` is a place given separately, otherwise one in the message counts.
        """
        shelf = self._shelf
        text = clean(text)
        reading = shelf.reader.read(text, needs)
        place = (self._places.resolve(clean(near)) if near else None) or self._places.find(text)
        wishes = _wishes(shelf.index, reading)
        circumstances = Circumstances(
            now=now or datetime.now(UTC),
            zone=self._settings.timezone,
            stale_days=self._settings.stale_days,
            place=place,
            from_home=_between(place, shelf.home),
            age=reading.age,
            urgent=any(wish.urgency == URGENT for wish in wishes),
            said=_said(shelf, reading) if wishes else {},
            close=frozenset(need for wish in wishes for need in wish.related),
        )
        candidates = _candidates(shelf, reading, wishes, circumstances, max(SHORT_LIST, limit))
        general = () if wishes else GENERAL
        picks = choose(candidates, wishes, limit=limit, exclude=exclude, general=general)
        by_need = {wish.need: wish for wish in wishes}
        return Found(
            matches=tuple(_match(pick, by_need, shelf.labels, place) for pick in picks),
            needs=_guesses(shelf.index, reading.chances),
            place=place,
        )


@dataclass(frozen=True, kw_only=True)
class _Shelf:
    """A snapshot and what is derived from it, swapped together."""

    index: Index
    reader: Reader
    names: Names
    rows: Mapping[str, int]
    columns: Mapping[str, int]
    labels: Mapping[str, str]
    company: tuple[int, ...]
    """Rows of services that are mainly for the general needs: offered when nothing was understood."""
    lines: NDArray[np.int64]
    """Rows of national lines: always candidates, because the ladder ends with them."""
    home: Place | None
    """The middle of the catalogue: where help for "the county" is, when a listing has no location of its own."""

    @classmethod
    def of(cls, index: Index, encoder: Encoder, spelling: Spelling, opinion: SecondOpinion | None) -> _Shelf:
        roll = index.roll
        named = chain(zip(roll.names, count(), strict=False), zip(roll.organisations, count(), strict=False))
        return cls(
            index=index,
            reader=Reader(encoder, spelling, index.needs, index.head, opinion),
            names=Names.of(named),
            rows={service_id: row for row, service_id in enumerate(roll.ids)},
            columns={need.id: column for column, need in enumerate(index.needs)},
            labels={need.id: need.label for need in index.needs},
            company=tuple(row for row, need in enumerate(roll.mainly) if need in GENERAL),
            lines=np.array(roll.lines, dtype=np.int64),
            home=_home(roll),
        )


def _wishes(index: Index, reading: Reading) -> tuple[Wish, ...]:
    """The needs to answer, most urgent first, then likeliest."""
    found: list[Wish] = []
    for column in np.argsort(-reading.chances, kind="stable"):
        need, chance = index.needs[column], float(reading.chances[column])
        enough = LINES_FROM.get(need.id, 1.0)
        if need.id in TWO_LINES and reading.speakers[column] > 0:  # a part alone says less: "and i have to leave"
            enough = max(enough, SURE)
        crisis = index.crisis.get(need.id, ()) if chance >= enough else ()
        if chance >= SURE or crisis or (not found and chance >= PERHAPS):
            found.append(
                Wish(
                    need=need.id,
                    sure=chance >= SURE,
                    chance=chance,
                    urgency=need.urgency,
                    related=need.related,
                    crisis=crisis,
                    crisis_lines=CRISIS_LINES if need.id in TWO_LINES else 1,
                )
            )
    first = sorted(found, key=lambda wish: not wish.crisis)[:MOST_NEEDS]
    best = max((wish.chance for wish in first), default=0.0)
    return tuple(sorted(first, key=lambda wish: -_forward(wish, best)))


def _forward(wish: Wish, likeliest: float) -> int:
    return wish.urgency if wish.crisis else weigh_urgency(wish.urgency, wish.chance, likeliest)


def _said(shelf: _Shelf, reading: Reading) -> dict[str, float]:
    return {need: float(reading.chances[column]) for need, column in shelf.columns.items()}


def _candidates(
    shelf: _Shelf, reading: Reading, wishes: Sequence[Wish], circumstances: Circumstances, short_list: int
) -> list[Candidate]:
    """Everything worth a look, scored for the whole message and for each need in it."""
    index, text = shelf.index, reading.text
    named = shelf.names.find(reading.said) or shelf.names.find(text)
    views = {WHOLE: View(vector=reading.vectors[0], chances=reading.chances)}
    for wish in wishes:
        column = shelf.columns[wish.need]
        alone = np.zeros_like(reading.chances)
        alone[column] = 1.0
        views[wish.need] = View(vector=reading.vectors[reading.speakers[column]], chances=alone)
    crisis = [shelf.rows[line] for wish in wishes for line in wish.crisis if line in shelf.rows]
    company = [] if wishes else shelf.company
    always = np.concatenate([shelf.lines, np.array([*named, *crisis, *company], dtype=np.int64)])
    sight = look(index, views, text, always)
    needs = {wish.need for wish in wishes} | {need for wish in wishes for need in wish.related} | set(GENERAL)
    columns = {need: shelf.columns[need] for need in needs if need in shelf.columns}
    best = [np.argsort(-each.scores, kind="stable")[:short_list] for each in sight.evidence.values()]
    kept = np.unique(np.concatenate([*best, np.flatnonzero(np.isin(sight.rows, always))]))
    spots = (_Spot(index=index, row=int(sight.rows[at]), at=int(at), evidence=sight.evidence) for at in kept)
    return [_candidate(spot, named, columns, circumstances) for spot in spots]


@dataclass(frozen=True, kw_only=True)
class _Spot:
    """One row of the index, and where its values are in the evidence."""

    index: Index
    row: int
    at: int
    evidence: Mapping[str, Evidence]

    @property
    def asked(self) -> bool:
        """Whether the message asks for any need at all."""
        return len(self.evidence) > 1


def _candidate(
    spot: _Spot, named: Mapping[int, int], columns: Mapping[str, int], circumstances: Circumstances
) -> Candidate:
    service = spot.index.services[spot.row]
    state = opening(service, circumstances.now, zone=circumstances.zone, stale_days=circumstances.stale_days)
    miles = miles_to(service, circumstances.place)
    served = is_served(service, circumstances.place)
    felt = circumstances.from_home if miles is None and is_too_far(service, circumstances.from_home) else miles
    whole = spot.evidence[WHOLE]
    same = spot.row in named or float(whole.names[spot.at]) >= SAME_NAME
    push = boost(service, state, felt, circumstances)
    if same:
        push += NAMED * named.get(spot.row, EXACT) / EXACT
    return Candidate(
        service=service,
        score=float(whole.scores[spot.at]) + push,
        serves={need: float(spot.index.carried[spot.row, column]) for need, column in columns.items()},
        fits={
            need: float(each.scores[spot.at]) + OVERALL * float(whole.scores[spot.at]) + (1 + OVERALL) * push
            for need, each in spot.evidence.items()
            if need != WHOLE
        },
        opening=state,
        named=same,
        likely=float(whole.about[spot.at]) >= LIKELY or (spot.asked and float(whole.agreement[spot.at]) >= AGREES),
        miles=miles,
        far=is_too_far(service, felt, served),
        served=served,
        suits_age=suits_age(service, circumstances.age),
    )


def _match(pick: Pick, wishes: Mapping[str, Wish], labels: Mapping[str, str], place: Place | None) -> Match:
    wish = wishes.get(pick.need or "")
    return Match(
        service=pick.candidate.service,
        score=round(pick.candidate.score, 3),
        strength=strength_of(pick, wish),
        reason=reason_for(pick, wishes, labels, place.name if place else ""),
        need=pick.need,
        opening=pick.candidate.opening,
        miles=pick.candidate.miles,
    )


def strength_of(pick: Pick, wish: Wish | None) -> str:
    """What a suggestion is called: no better than it probably is."""
    if pick.rung != "need" or wish is None:
        return STRENGTHS.get(pick.rung, "wider")
    chance = wish.chance * pick.candidate.answers(wish.need)
    return "good" if chance >= GOOD and not pick.candidate.far else "maybe"


def _guesses(index: Index, chances: Array) -> tuple[NeedGuess, ...]:
    order = np.argsort(-chances, kind="stable")
    return tuple(
        NeedGuess(id=index.needs[column].id, label=index.needs[column].label, score=round(float(chances[column]), 3))
        for column in order
        if chances[column] >= GUESSED
    )


def _between(one: Place | None, other: Place | None) -> float | None:
    if one is None or other is None:
        return None
    return miles_between(one, other.latitude, other.longitude)


def _home(roll: Roll) -> Place | None:
    return middle_of([roll.middle] if roll.middle else [])
