"""`python -m bot.components.figures`: what cross-validation of the intents gives, as one line of JSON.

In Rasa's own environment, whose classifier it is; `make evaluate` reads it.
"""

import json
import sys
from pathlib import Path

from bot.components.calibrate import cross_validate, read_actions, read_examples
from bot.components.encoder import Encoder, encoder_folder

FOLDS = 5


def main() -> None:
    examples = read_examples(Path("bot/data/nlu"))
    guesses = cross_validate(examples, Encoder(encoder_folder()).encode([text for text, _ in examples]), FOLDS)
    actions = read_actions(Path("bot/data/rules"))
    right = sum(guess.truth == guess.guess for guess in guesses)
    acted = sum(actions.get(guess.truth) == actions.get(guess.guess) for guess in guesses)
    sys.stdout.write(json.dumps({"n": len(guesses), "intent": right, "action": acted}) + "\n")


if __name__ == "__main__":
    main()
