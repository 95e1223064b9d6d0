"""Two encoders under one contrast, and its gradient for batches that do not fit into memory.

Gradient caching: Gao, Zhang, Han and Callan, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"
(2021).
"""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from models.exif_language.loss import contrastive_gradients, contrastive_loss
from models.training.backend import compiled, differentiated

LARGEST_SCALE = 100.0  # of a learned logit scale, as in CLIP: beyond, training becomes unstable

Step = Callable[[Any, Any, Any], tuple[float, list[Any]]]


class Joint(keras.Model):
    """An encoder of patches and one of texts, `image` and `text`, and by how much their cosines are multiplied.

    `scale`: the logit scale, where `learned` its first value.
    """

    def __init__(self, image: keras.Model, text: keras.Model, scale: float = 100.0, learned: bool = False) -> None:
        super().__init__(name="joint")
        self.image, self.text = image, text
        self.log_scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(math.log(scale)), trainable=learned, name="log_scale"
        )
        self.built = True

    @property
    def scale(self) -> Any:
        return ops.exp(self.log_scale)

    def limit_scale(self) -> None:
        """To be called after each step."""
        self.log_scale.assign(ops.minimum(self.log_scale, math.log(LARGEST_SCALE)))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """(patches, tokens) → (their unit vectors, those of the texts)."""
        patches, tokens = inputs
        return self.image(patches, training=training), self.text(tokens, training=training)


def gradients_of(joint: Joint, micro_batch: int) -> Step:
    """A function (patches, tokens, photographs) → (loss, gradients by `joint.trainable_variables`).

    A batch larger than `micro_batch` is embedded piece by piece without gradients; the loss over all of it is
    differentiated by the embeddings; then each piece is embedded again and hands these gradients down. Memory is that
    of a piece. The gradients are those of the whole batch, but for BatchNorm, which takes its statistics from a piece
    (and moves its running ones twice); nothing in the encoders may be random, such as dropout.
    Raises `InputError` on another backend than TensorFlow.
    """

    def loss(patches: Any, tokens: Any, photographs: Any) -> Any:
        image, text = joint((patches, tokens), training=True)
        return contrastive_loss(image, text, photographs, joint.scale)

    def handed_down(patches: Any, tokens: Any, by_image: Any, by_text: Any) -> Any:
        image, text = joint((patches, tokens), training=True)
        return ops.sum(image * by_image) + ops.sum(text * by_text)

    variables = joint.trainable_variables
    at_once = differentiated(loss, variables)
    of_piece = differentiated(handed_down, variables)
    embed = compiled(lambda patches, tokens: joint((patches, tokens), training=True))

    def step(patches: Any, tokens: Any, photographs: Any) -> tuple[float, list[Any]]:
        if len(patches) <= micro_batch:
            value, gradients = at_once(*map(ops.convert_to_tensor, (patches, tokens, photographs)))
            return float(value), gradients
        pieces = [slice(start, start + micro_batch) for start in range(0, len(patches), micro_batch)]
        inputs = [(ops.convert_to_tensor(patches[piece]), ops.convert_to_tensor(tokens[piece])) for piece in pieces]
        images, texts = map(ops.concatenate, zip(*(embed(*each) for each in inputs), strict=True))
        photographs = ops.convert_to_tensor(photographs)
        value, by_image, by_text, by_scale = contrastive_gradients(images, texts, photographs, joint.scale)
        gradients = [ops.zeros(variable.shape) for variable in variables]
        for each, piece in zip(inputs, pieces, strict=True):
            _, more = of_piece(*each, by_image[piece], by_text[piece])
            gradients = [total + part for total, part in zip(gradients, more, strict=True)]
        if joint.log_scale.trainable:
            place = next(index for index, variable in enumerate(variables) if variable is joint.log_scale)
            gradients[place] = by_scale
        return float(value), gradients

    return step
