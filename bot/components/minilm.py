"""Rasa featurizer: one MiniLM sentence vector for each message, in this process."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Dict, List, Optional, Text, Type

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.encoder import Encoder, encoder_folder, fingerprint
from bot.components.plain_words import SPELLINGS, PlainWords


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class OnnxMiniLMFeaturizer(DenseFeaturizer, GraphComponent):
    """Sets the sentence feature of `text`. DenseFeaturizer comes first, or Rasa's graph check rejects the class."""

    def __init__(self, config: Dict[Text, Any], name: Text) -> None:
        super().__init__(name, config)
        self._encoder = Encoder(encoder_folder(config["folder"]))
        self._spelling = PlainWords.load()

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> OnnxMiniLMFeaturizer:
        """Raises EncoderNotUsable: training and start-up must not go on with other weights."""
        return cls(config, execution_context.node_name)

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {**DenseFeaturizer.get_default_config(), "folder": ""}

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Nothing to check before the encoder's folder is opened."""

    @classmethod
    def required_components(cls) -> List[Type[Any]]:
        return [Tokenizer]

    @staticmethod
    def required_packages() -> List[Text]:
        return ["onnxruntime", "tokenizers"]

    @classmethod
    def fingerprint_addon(cls, config: Dict[Text, Any]) -> Optional[Text]:
        """Weights and spelling live outside the model archive, so Rasa's cache has to be told when they change."""
        tables = b"".join(path.read_bytes() for path in SPELLINGS)
        return f"{fingerprint(encoder_folder(config.get('folder', '')))}:{sha256(tables).hexdigest()}"

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        with_text = [message for message in messages if message.get(TEXT)]
        vectors = self._encoder.encode([self._spelling.plain(message.get(TEXT)) for message in with_text])
        for message, vector in zip(with_text, vectors, strict=True):
            message.add_features(Features(vector.reshape(1, -1), FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return messages
