"""Why something was suggested, in plain words: for the peer worker and the editor. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.choosing import Pick, Wish

NEXT_DOOR_MILES = 0.15
WHY = {
    "named": "because you named it",
    "crisis": "because this may be about {label}, and somebody is there to talk",
    "need": "because you mentioned {label}",
    "perhaps": "because this may be about {label}",
    "near": "because it sounds like what you wrote",
    "related": "because it helps with {label}, which is close to what you asked",
    "general": "because it is there for anybody who wants company or a talk",
    "line": "because anybody can get in touch with it, wherever they are",
    "any": "because it may know who can help",
}


def reason_for(pick: Pick, wishes: Mapping[str, Wish], labels: Mapping[str, str], place: str = "") -> str:
    """ "because you mentioned rent and mortgage worries; open now until 5pm; 0.4 miles from Millgate"."""
    parts = [_why(pick, wishes, labels)]
    if pick.candidate.opening.is_open:
        parts.append(pick.candidate.opening.words)
    if pick.candidate.miles is not None and place:
        parts.append(distance_words(pick.candidate.miles, place))
    if pick.candidate.served is not None and place:
        parts.append(f"{place} is {'in' if pick.candidate.served else 'outside'} the area it serves")
    if pick.candidate.service.eligibility:
        parts.append("for some people, see good to know")
    return "; ".join(parts)


def distance_words(miles: float, place: str) -> str:
    if miles < NEXT_DOOR_MILES:
        return f"in {place}"
    shown = f"{miles:.1f}" if miles < 10 else f"{miles:.0f}"
    return f"{shown.removesuffix('.0')} mile{'' if shown == '1.0' else 's'} from {place}"


def lower_first(label: str) -> str:
    """A label inside a sentence: "Rent worries" is "rent worries", "LGBT+ life" stays."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _why(pick: Pick, wishes: Mapping[str, Wish], labels: Mapping[str, str]) -> str:
    label = lower_first(labels.get(pick.need or "", ""))
    wish = wishes.get(pick.need or "")
    rung = pick.rung if label or pick.rung not in {"need", "related", "crisis"} else "any"
    if rung == "need" and wish is not None and not wish.sure:
        rung = "perhaps"
    return WHY[rung].format(label=label)
