"""An encoder of patches and one of texts, and gradients of batches that do not fit into memory.

Gradient caching: Gao, Zhang, Han and Callan, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"
(2021).
"""

import math
from collections.abc import Callable

import keras
from keras import ops

from models.exif_language.loss import contrastive_gradients, contrastive_loss
from models.layers import Tensor
from models.training.backend import compile_function, value_and_gradients

MAX_SCALE = 100.0  # of a learned logit scale, as in CLIP; training is unstable above it

GradientFunction = Callable[[Tensor, Tensor, Tensor], tuple[float, list[Tensor]]]


class DualEncoder(keras.Model):
    """An encoder of patches, an encoder of texts, and the factor of their cosines.

    Args:
        image: model from patches to unit vectors (batch, width).
        text: model from tokens to unit vectors (batch, width).
        scale: factor of the cosines.
        learn_scale: whether `scale` is only its initial value.
    """

    def __init__(self, image: keras.Model, text: keras.Model, scale: float = 100.0, learn_scale: bool = False) -> None:
        super().__init__(name="dual_encoder")
        self.image, self.text = image, text
        initializer = keras.initializers.Constant(math.log(scale))
        self.log_scale = self.add_weight(shape=(), initializer=initializer, trainable=learn_scale, name="log_scale")
        self.built = True

    @property
    def scale(self) -> Tensor:
        """The factor of the cosines, a scalar."""
        return ops.exp(self.log_scale)

    def clip_scale(self) -> None:
        """Limit the scale to `MAX_SCALE`. Call it after each step."""
        self.log_scale.assign(ops.minimum(self.log_scale, math.log(MAX_SCALE)))

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> tuple[Tensor, Tensor]:
        """Return the unit vectors of (patches, tokens), each (batch, width).

        There may be fewer tokens than patches: patch n has the text n // (patches / texts), which is embedded once.
        """
        patches, tokens = inputs
        text = self.text(tokens, training=training)
        per_text = patches.shape[0] // tokens.shape[0]
        return self.image(patches, training=training), ops.repeat(text, per_text, axis=0) if per_text > 1 else text


def make_gradient_function(model: DualEncoder, micro_batch: int) -> GradientFunction:
    """Return a function (patches, tokens, photos) → (loss, gradients by `model.trainable_variables`).

    The batch has `photos` for each patch; there may be fewer `tokens`, see `DualEncoder.call`.

    A batch larger than `micro_batch` is embedded in parts without gradients. Then the loss of the whole batch is
    differentiated with respect to the embeddings, and each part is embedded again to backpropagate these gradients. So
    the memory is that of one part. The gradients equal those of the whole batch, except for BatchNorm, which normalizes
    by the statistics of a part and updates its running statistics twice. The encoders must not contain dropout or other
    randomness.

    Raises:
        InputError: the backend is not TensorFlow.
    """

    def loss(patches: Tensor, tokens: Tensor, photos: Tensor) -> Tensor:
        image, text = model((patches, tokens), training=True)
        return contrastive_loss(image, text, photos, model.scale)

    def surrogate(patches: Tensor, tokens: Tensor, by_image: Tensor, by_text: Tensor) -> Tensor:
        """A scalar whose gradients are those of the loss, given the gradients by the embeddings."""
        image, text = model((patches, tokens), training=True)
        return ops.sum(image * by_image) + ops.sum(text * by_text)

    variables = model.trainable_variables
    whole_gradients = value_and_gradients(loss, variables)
    part_gradients = value_and_gradients(surrogate, variables)
    embed = compile_function(lambda patches, tokens: model((patches, tokens), training=True))

    def gradients(patches: Tensor, tokens: Tensor, photos: Tensor) -> tuple[float, list[Tensor]]:
        if len(patches) <= micro_batch:
            value, total = whole_gradients(*map(ops.convert_to_tensor, (patches, tokens, photos)))
            return float(value), total
        per_text = len(patches) // len(tokens)
        texts = max(1, micro_batch // per_text)
        starts = range(0, len(tokens), texts)
        parts = [slice(per_text * start, per_text * (start + texts)) for start in starts]
        inputs = [
            (ops.convert_to_tensor(patches[part]), ops.convert_to_tensor(tokens[start : start + texts]))
            for start, part in zip(starts, parts, strict=True)
        ]
        image, text = map(ops.concatenate, zip(*(embed(*pair) for pair in inputs), strict=True))
        photos = ops.convert_to_tensor(photos)
        value, by_image, by_text, by_scale = contrastive_gradients(image, text, photos, model.scale)
        total = [ops.zeros(variable.shape) for variable in variables]
        for pair, part in zip(inputs, parts, strict=True):
            _, more = part_gradients(*pair, by_image[part], by_text[part])
            total = [sum_ + gradient for sum_, gradient in zip(total, more, strict=True)]
        if model.log_scale.trainable:
            index = next(index for index, variable in enumerate(variables) if variable is model.log_scale)
            total[index] = by_scale
        return float(value), total

    return gradients
