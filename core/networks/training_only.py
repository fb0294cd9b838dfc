"""Parts of networks that act only in training. A network that is tested, saved and exported does not have them."""

import keras

from core.networks.sizes import AUXILIARY

# What an auxiliary head's loss counts beside the network's own (Szegedy et al. 2014, section 5).
AUXILIARY_WEIGHT = 0.3


class WithAuxiliaryHeads(keras.Model):
    """A network whose further outputs are auxiliary heads: they add to the training loss, and are nowhere else."""

    def call(self, inputs, training=None, mask=None):
        logits = super().call(inputs, training=training, mask=mask)
        return logits if training else logits[0]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        own, *heads = y_pred if isinstance(y_pred, list) else [y_pred]
        loss = super().compute_loss(x, y, own, sample_weight, training)
        cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
        return loss + AUXILIARY_WEIGHT * sum(cross_entropy(y, head) for head in heads)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y, y_pred[0] if isinstance(y_pred, list) else y_pred, sample_weight)


def lasting(model):
    """The weights of a network without those that only its training has."""
    return [weight for weight in model.weights if not weight.path.startswith(AUXILIARY)]


class DropPathChoice(keras.layers.Layer):
    """What all joins of a FractalNet do in one batch: from any tensor to two numbers, float32: whether each join drops
    paths by itself (0) or all keep one column (1), and that column (from 0).
    """

    def __init__(self, columns, seed, **options):
        super().__init__(dtype="float32", **options)
        self.columns, self.seed = columns, seed

    def call(self, x):
        alone = keras.random.uniform((1,), seed=self.seed) < 0.5
        column = keras.ops.floor(keras.random.uniform((1,), maxval=self.columns, seed=self.seed))
        return keras.ops.concatenate([keras.ops.cast(alone, "float32"), column])

    def compute_output_shape(self, shape):
        return (2,)


class DropPath(keras.layers.Layer):
    """The mean of the paths that are kept in this batch, and outside of training that of all (Larsson, Maire and
    Shakhnarovich 2016, section 4.1).

    Args:
        columns: the numbers (from 0) of the columns that join here.
        rate: the share of paths that is dropped where joins decide by themselves; one is always kept.
        seed: a keras.random.SeedGenerator.
    """

    def __init__(self, columns, rate, seed, **options):
        super().__init__(**options)
        self.columns, self.rate, self.seed = columns, rate, seed

    def call(self, inputs, training=False):
        choice, *paths = inputs
        if not training:
            return sum(paths) / len(paths)
        drawn = keras.random.uniform((len(paths),), seed=self.seed, dtype="float32")
        surest = keras.ops.one_hot(keras.ops.argmax(drawn), len(paths), dtype="float32")
        by_itself = keras.ops.maximum(keras.ops.cast(drawn >= self.rate, "float32"), surest)
        own = keras.ops.cast(keras.ops.equal(keras.ops.array(self.columns, "float32"), choice[1]), "float32")
        # Where the one column does not pass, nothing that comes of this join is kept further on.
        own = keras.ops.where(keras.ops.sum(own) > 0, own, keras.ops.ones_like(own))
        kept = keras.ops.where(choice[0] > 0.5, own, by_itself)
        kept = keras.ops.cast(kept / keras.ops.sum(kept), paths[0].dtype)
        return sum(kept[number] * path for number, path in enumerate(paths))

    def compute_output_shape(self, shapes):
        return shapes[1]
