"""`python -m bot.components.calibrate`: how well the intents are told apart, and where the fallback threshold belongs.

Cross-validation over bot/data/nlu with the encoder and the classifier that Rasa runs, so the figures are those of the
product. Two questions matter more than the accuracy of intents: does the right *action* run (every need runs the same
one), and how often is somebody's trouble taken for small talk? The second is also asked of the phrasings in
knowledge/data/needs.yml, which were written apart and which nothing here is trained on.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
import yaml
from sklearn.model_selection import StratifiedKFold

from bot.components.encoder import Encoder, encoder_folder
from bot.components.plain_words import PlainWords
from bot.components.regression import STRENGTH, Regression, fit
from bot.components.wording import PLACES, count_runs

SEARCH = "action_find_support"
NEED = "need"
KEEP = 0.95
"""Share of messages like those in the data that must stay above the threshold."""


@dataclass(frozen=True)
class Guess:
    """What the classifier said about one example it had not been trained on."""

    text: str
    truth: str
    guess: str
    confidence: float
    lead: float
    """How far the best intent is ahead of the second."""


def read_examples(folder: Path) -> List[Tuple[str, str]]:
    """(text, intent) of every example, in file order."""
    examples = []
    for path in sorted(folder.rglob("*.yml")):
        for block in (yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}).get("nlu") or []:
            lines = [line.strip() for line in block["examples"].splitlines()]
            examples += [(line[2:].strip(), block["intent"]) for line in lines if line.startswith("- ")]
    return examples


def read_actions(folder: Path) -> Dict[str, str]:
    """Which action or response answers an intent, from the rules of one intent and one action."""
    answers = {}
    for path in sorted(folder.rglob("*.yml")):
        for rule in (yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}).get("rules") or []:
            intents = [step["intent"] for step in rule["steps"] if "intent" in step]
            actions = [step["action"] for step in rule["steps"] if "action" in step]
            if len(intents) == 1 and len(actions) == 1:
                answers[intents[0]] = actions[0]
    return answers


def cross_validate(
    examples: Sequence[Tuple[str, str]], vectors: np.ndarray, folds: int, strength: float = STRENGTH
) -> List[Guess]:
    labels = np.array([label for _, label in examples])
    guesses = []
    for seen, held_out in StratifiedKFold(folds, shuffle=True, random_state=0).split(vectors, labels):
        regression = fit(vectors[seen], labels[seen].tolist(), strength, vectors.shape[1] - PLACES)
        for i, row in zip(held_out, regression.probabilities(vectors[held_out]), strict=True):
            second, best = np.sort(row)[-2:]
            name = regression.labels[int(row.argmax())]
            guesses.append(Guess(examples[i][0], examples[i][1], name, float(best), float(best - second)))
    return guesses


def read_unseen(path: Path, examples: Sequence[Tuple[str, str]]) -> List[str]:
    """Phrasings of needs that are no example word for word."""
    trained = {text.lower() for text, _ in examples}
    needs = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [text for need in needs for text in need["phrasings"] if text.lower() not in trained]


def guess_unseen(texts: Sequence[str], vectors: np.ndarray, regression: Regression) -> List[Guess]:
    guesses = []
    for text, row in zip(texts, regression.probabilities(vectors), strict=True):
        second, best = np.sort(row)[-2:]
        guesses.append(Guess(text, NEED, regression.labels[int(row.argmax())], float(best), float(best - second)))
    return guesses


def keeping_threshold(guesses: Sequence[Guess], keep: float = KEEP) -> float:
    """The highest threshold that at least `keep` of the guesses reach."""
    return float(np.quantile([guess.confidence for guess in guesses], 1 - keep, method="lower"))


def action_of(guess: Guess, actions: Dict[str, str], threshold: float, lead: float) -> str:
    sure = guess.confidence >= threshold and guess.lead >= lead
    return actions.get(guess.guess, guess.guess) if sure else SEARCH


def print_report(guesses: Sequence[Guess], actions: Dict[str, str], threshold: float, lead: float, most: int) -> None:
    right = sum(guess.truth == guess.guess for guess in guesses)
    print(f"examples {len(guesses)}, intents {len({g.truth for g in guesses})}")
    print(f"intent accuracy {right / len(guesses):.3f}")
    print(f"threshold that keeps {KEEP:.0%} of them: {keeping_threshold(guesses):.2f}")
    done = [(guess, actions.get(guess.truth, ""), action_of(guess, actions, threshold, lead)) for guess in guesses]
    needs = [item for item in done if item[1] == SEARCH]
    talk = [item for item in done if item[1] != SEARCH]
    print(f"at threshold {threshold:.2f} and lead {lead:.2f}:")
    print(f"  right action                        {share(done, lambda want, got: want == got)}")
    print(f"  a need answered as something else   {share(needs, lambda want, got: want != got)}")
    print(f"  small talk searched with            {share(talk, lambda want, got: got == SEARCH)}")
    print(f"  small talk answered as other talk   {share(talk, lambda want, got: got not in (want, SEARCH))}")
    print_confusion(guesses)
    print("wrong action:")
    for guess, _, got in sorted((d for d in done if d[1] != d[2]), key=lambda d: -d[0].confidence)[:most]:
        print(f"  {guess.confidence:.2f} {guess.truth} -> {got} ({guess.guess}): {guess.text}")


def share(items: Sequence[Tuple[Guess, str, str]], test: Callable[[str, str], bool]) -> str:
    hits = sum(test(want, got) for _, want, got in items)
    return f"{hits}/{len(items)} = {hits / max(1, len(items)):.3f}"


def print_confusion(guesses: Sequence[Guess]) -> None:
    print(f"{'intent':34} n   recall  taken for")
    for truth in sorted({guess.truth for guess in guesses}):
        own = [guess.guess for guess in guesses if guess.truth == truth]
        wrong = ", ".join(f"{name} {n}" for name, n in Counter(g for g in own if g != truth).most_common(5))
        print(f"{truth:34} {len(own):<3} {own.count(truth) / len(own):.2f}    {wrong}")


def print_unseen(guesses: Sequence[Guess], actions: Dict[str, str], threshold: float, lead: float) -> None:
    wrong = [guess for guess in guesses if action_of(guess, actions, threshold, lead) != SEARCH]
    print(f"phrasings of needs never seen, answered as something else {len(wrong)}/{len(guesses)}:")
    for guess in sorted(wrong, key=lambda guess: -guess.confidence):
        print(f"  {guess.confidence:.2f} {guess.guess}: {guess.text}")


def read_held_back(path: Path, examples: Sequence[Tuple[str, str]]) -> List[Tuple[str, str]]:
    """(text, intent) of messages written apart; those that are examples word for word are left out."""
    trained = {text.lower() for text, _ in examples}
    body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    pairs = [(str(text), intent) for intent, texts in body.items() for text in texts]
    return [(text, intent) for text, intent in pairs if text.lower() not in trained]


def guess_labelled(pairs: Sequence[Tuple[str, str]], vectors: np.ndarray, regression: Regression) -> List[Guess]:
    guesses = guess_unseen([text for text, _ in pairs], vectors, regression)
    return [Guess(g.text, intent, g.guess, g.confidence, g.lead) for g, (_, intent) in zip(guesses, pairs, strict=True)]


def count_set(
    name: str, guesses: Sequence[Guess], actions: Dict[str, str], threshold: float, lead: float
) -> Dict[str, Any]:
    """Totals of one set, for bot.nlu_report."""
    return {
        "name": name,
        "count": len(guesses),
        "right_intent": sum(guess.truth == guess.guess for guess in guesses),
        "right_action": sum(actions[g.truth] == action_of(g, actions, threshold, lead) for g in guesses),
        "needs": sum(actions[g.truth] == SEARCH for g in guesses),
        "needs_answered_as_something_else": sum(
            actions[g.truth] == SEARCH != action_of(g, actions, threshold, lead) for g in guesses
        ),
    }


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("bot/data"))
    parser.add_argument("--unseen", type=Path, default=Path("knowledge/data/needs.yml"))
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--threshold", type=float, default=None, help="default: what config.yml says")
    parser.add_argument("--lead", type=float, default=None, help="default: config.yml's ambiguity_threshold")
    parser.add_argument("--strength", type=float, default=STRENGTH)
    parser.add_argument("--most", type=int, default=40, help="how many wrong ones to list")
    parser.add_argument("--held-back", type=Path, default=Path("bot/held_back"), help="messages never trained on")
    parser.add_argument("--json", action="store_true", help="totals and confusions as one JSON object")
    return parser.parse_args()


def main() -> None:
    given = read_arguments()
    config = yaml.load(Path("config.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    fallback = next(part for part in config["pipeline"] if part["name"] == "FallbackClassifier")
    threshold = fallback["threshold"] if given.threshold is None else given.threshold
    lead = fallback["ambiguity_threshold"] if given.lead is None else given.lead
    encoder = Encoder(encoder_folder())
    actions = read_actions(given.data / "rules")
    examples = read_examples(given.data / "nlu")
    words = PlainWords.load()

    def encode(texts: Sequence[str]) -> np.ndarray:
        plain = [words.plain(text) for text in texts]
        return np.hstack([encoder.encode(plain), count_runs(plain)])

    vectors = encode([text for text, _ in examples])
    guesses = cross_validate(examples, vectors, given.folds, given.strength)
    regression = fit(vectors, [label for _, label in examples], given.strength, vectors.shape[1] - PLACES)
    held_back = {}
    for path in sorted(given.held_back.glob("*.yml")):
        pairs = read_held_back(path, examples)
        held_back[path.stem] = guess_labelled(pairs, encode([text for text, _ in pairs]), regression)
    if given.json:
        sets = {f"{given.folds}-fold cross-validation": guesses, **held_back}
        confusion: Dict[str, Dict[str, int]] = {}
        for guess in guesses:
            row = confusion.setdefault(guess.truth, {})
            row[guess.guess] = row.get(guess.guess, 0) + 1
        counted = [count_set(name, each, actions, threshold, lead) for name, each in sets.items()]
        print(json.dumps({"threshold": threshold, "lead": lead, "sets": counted, "confusion": confusion}))
        return
    print_report(guesses, actions, threshold, lead, given.most)
    for name, each in held_back.items():
        print(count_set(name, each, actions, threshold, lead))
    if given.unseen.exists():
        unseen = read_unseen(given.unseen, examples)
        print_unseen(guess_unseen(unseen, encode(unseen), regression), actions, threshold, lead)


if __name__ == "__main__":
    main()
