"""What a trained classifier computes before its last layer: hidden features and logits of a head."""

from typing import Any

import keras


def hidden_network(network: keras.Model, head: str, inputs: Any = None) -> keras.Model:
    """Return a network to the hidden features and the logits of a head. It shares its layers with `network`.

    They are those of the front end if it has logits of its own, otherwise those behind the backbone: a backbone behind
    such a front end only adds to its logits.

    Args:
        network: made by `models.classifier.build`.
        head: name of one of its outputs, such as `camera`.
        inputs: symbolic tensors of `network` to begin with; None for its inputs.

    Returns:
        A model from `inputs` to `{"hidden": (batch, width), "logits": (batch, classes)}`.
    """
    names = {layer.name for layer in network.layers}
    own = f"front_end_{head}"
    layer = network.get_layer(own if own in names else f"{head}_logits")
    outputs = {"hidden": layer.input, "logits": layer.output}
    return keras.Model(network.input if inputs is None else inputs, outputs)
