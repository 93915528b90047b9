"""Rasa intent classifier: logistic regression over the sentence vector and the wording, stored as plain arrays."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Text, Tuple, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.regression import STRENGTH, Regression, fit, load, save
from bot.components.words import has_readable_words

ARRAYS = "regression.npz"
MEANING = 384
"""Columns of the sentence vector, which comes first in the pipeline."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LogisticRegressionIntents(IntentClassifier, GraphComponent):
    """Names the likeliest intents. A message without readable words gets confidence 0, so that it always falls back."""

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        regression: Optional[Regression] = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._regression = regression

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LogisticRegressionIntents:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LogisticRegressionIntents:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, load(folder / ARRAYS))

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"C": STRENGTH, "ranking_length": 3, "meaning": MEANING}

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Nothing that a wrong value could break silently."""

    @classmethod
    def required_components(cls) -> List[Type[Any]]:
        return [Featurizer]

    @staticmethod
    def required_packages() -> List[Text]:
        return ["sklearn"]

    def train(self, training_data: TrainingData) -> Resource:
        pairs = [
            (vector, example.get(INTENT))
            for example in training_data.intent_examples
            if (vector := sentence_vector(example)) is not None
        ]
        self._regression = fit(
            np.stack([vector for vector, _ in pairs]),
            [label for _, label in pairs],
            self._config["C"],
            self._config["meaning"],
        )
        with self._model_storage.write_to(self._resource) as folder:
            save(self._regression, folder / ARRAYS)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            ranking = [{"name": name, "confidence": confidence} for name, confidence in self._rank(message)]
            message.set("intent", ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _rank(self, message: Message) -> List[Tuple[str, float]]:
        vector = sentence_vector(message)
        if self._regression is None or vector is None:
            return [("", 0.0)]
        ranking = self._regression.rank(vector, self._config["ranking_length"])
        if has_readable_words(message.get(TEXT)):
            return ranking
        return [(name, 0.0) for name, _ in ranking]


def sentence_vector(message: Message) -> Optional[np.ndarray]:
    """What the featurizers said of the whole message, one after the other; None for a message without text."""
    _, sentence = message.get_dense_features(TEXT)
    return None if sentence is None else sentence.features[0]
