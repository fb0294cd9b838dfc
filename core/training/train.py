"""One training run, from a RunConfig to a full run folder."""

import dataclasses
import time
from pathlib import Path

import keras

from core.datasets.catalogue import DATASETS
from core.datasets.loading import load
from core.explain import embedding, familiarity
from core.export.keras import save_network
from core.export.litert import save_tflite
from core.networks.build import build_model
from core.networks.preprocessing import NAME, fixed_weights, pixel_statistics
from core.networks.summary import count_parameters
from core.results import scores
from core.runs.integrity import fingerprints
from core.runs.run import Run, RunError
from core.runs.sessions import note_start
from core.training.batches import Batches, SequentialBatches, predict
from core.training.callbacks import Recorder, TestPredictions
from core.training.checkpoint import (
    BestWeights,
    Checkpointer,
    PartialEpochOverError,
    StopRequestedError,
    check_fit,
    read_weights,
)
from core.training.devices import spread
from core.training.last_features import last_features

PREDICT_BATCH = 250
# Of so many training images the accuracy is measured, in the end, without augmentation and dropout.
FITTED_IMAGES = 5_000
# With which share of its peak the triangle of learning rates begins.
TRIANGLE_START = 0.2


def train(config, run_dir, stop_requested=lambda: False, verbose=2):
    """Trains what the RunConfig says and fills the run folder; goes on exactly from its checkpoint if it has one.

    Args:
        config: a RunConfig.
        run_dir: a folder made by `core.runs.run.create_run`.
        stop_requested: asked after every step; once true, a checkpoint is written and training ends. The same happens
            once the run folder holds the file `finish` and an epoch is over: its best epoch is evaluated and exported.
        verbose: Keras' 0 (silent), 1 (progress bars) or 2 (a line an epoch).

    Returns:
        What metrics.json holds: for "best" (the epoch that `config.monitor` chooses, whose network is exported) and
        "last", the epoch and accuracy (0..1) and loss on train, validation and test; parameters; epochs; seconds; the
        size and checksum of the network files. Train figures are means over the epoch while training, with augmentation
        and dropout on, as Keras and the report give them. Losses contain the L2 terms. None where the run was stopped.

    Raises:
        core.datasets.loading.DatasetUnavailable: the images cannot be had.
        core.training.callbacks.DivergedError: the loss is no longer a number.
        core.runs.run.RunError: it is to be finished, but no epoch is over; or no epoch's validation loss is a number.
    """
    run = Run(Path(run_dir))
    run.write_status(phase="preparing data")
    data = load(config.dataset, progress=_told_to(run))
    classes = len(DATASETS[config.dataset]["classes"])
    (images, labels), (validation_images, validation_labels) = config.split(data)
    statistics = pixel_statistics(images, config.image_size)
    spread(config, tell=_noted(run))
    model = build_model(config, images.shape[1:], classes, *statistics, for_training=True)
    batches = Batches(images, labels, config, classes)
    compile_model(model, config, batches.steps)
    best_weights, predictions = BestWeights(run, config), TestPredictions(run, data, PREDICT_BATCH)
    recorder = Recorder(run, config, batches)
    # Averaged weights are swapped in first, so that every later callback sees what was validated.
    callbacks = [*_averaging(config), recorder, best_weights, *_pace(config)]
    if config.record_test_predictions:
        callbacks.append(predictions)

    def finishing():
        # Where a crash has taken it back to before its first whole epoch, that one is trained first.
        return bool(best_weights.last_epoch) and run.finish_path.exists()

    checkpointer = Checkpointer(run, batches, callbacks, lambda: stop_requested() or finishing())
    options = {
        "epochs": config.epochs,
        "validation_data": SequentialBatches(validation_images, validation_labels, classes, PREDICT_BATCH),
        "callbacks": [*callbacks, checkpointer],
        "shuffle": False,
        "verbose": verbose,
    }
    checkpointer.go_back()
    note_start(run, batches.epoch, batches.first_step)
    stopped = False
    while not (stopped or checkpointer.finished or finishing()):
        try:
            model.fit(batches, initial_epoch=batches.epoch, **options)
            checkpointer.write(best_weights.last_epoch, finished=True)
        except PartialEpochOverError:
            # Keras fixes the number of an epoch's steps when `fit` begins.
            checkpointer.go_back()
        except StopRequestedError:
            stopped = True
    if (stopped or stop_requested()) and not finishing():
        return None
    if not best_weights.last_epoch:
        raise RunError("There is nothing to finish: no epoch is over yet. Resume the run instead.")
    if not best_weights.best_epoch:
        raise RunError("The validation loss is not a number in any epoch; try a lower learning rate.")
    run.write_status(phase="evaluating", step=None, steps=None)
    # What is measured is what is exported: in float32, as bfloat16 can be neither quantised nor run everywhere.
    model = build_model(dataclasses.replace(config, precision="float32"), images.shape[1:], classes, *statistics)
    trained_on = images[:FITTED_IMAGES], labels[:FITTED_IMAGES]
    metrics = _evaluate(run, model, recorder, best_weights, predictions, data, trained_on)
    _export(run, config, model, sum(row["seconds"] for row in recorder.rows), data)
    metrics |= {"files": fingerprints(run)}
    run.write_metrics(metrics)
    return metrics


def compile_model(model, config, steps):
    """Readies the network to train as the RunConfig says; `steps` is how many an epoch has.

    Raises:
        core.runs.run.RunError: it is to be compiled with XLA, and cannot be.
    """
    model.compile(
        jit_compile=_jit_compile(model, config),
        optimizer=make_optimizer(config, steps),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    # Keras would wait for the first step with these variables; a resumed run gives them their values before.
    model.optimizer.build(model.trainable_variables)
    nothing = keras.ops.zeros((1, model.outputs[0].shape[-1]))
    model.compute_metrics(x=None, y=nothing, y_pred=nothing)
    # Else, on JAX, it would try the first batch, and those read ahead for that would come again in every epoch.
    model.compute_loss(x=None, y=nothing, y_pred=nothing)


def _jit_compile(model, config):
    """What Keras is told about XLA: True, False, or "auto": on JAX always, on TensorFlow with GPUs where it can."""
    possible = all(layer.supports_jit for layer in [*model.layers, *model.get_layer(NAME).layers])
    if config.jit_compile == "on" and not possible:
        raise RunError(
            "TensorFlow cannot compile random shifts with XLA: set translate to 0, and rotate and scale, or compile "
            "with XLA to auto; random crops can be compiled."
        )
    return {"on": True, "off": False}.get(config.jit_compile, "auto")


def make_optimizer(config, steps):
    """The optimizer with its learning rate schedule; `steps` is how many an epoch has."""
    schedule = SCHEDULES.get(config.schedule, lambda config, steps: config.learning_rate)
    optimizer = OPTIMIZERS[config.optimizer](config, schedule(config, steps))
    if config.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _one_cycle(config, steps):
    rate, total = config.learning_rate, steps * config.epochs
    rising = int(total * config.warmup)
    return keras.optimizers.schedules.CosineDecay(
        rate / 25, total - rising, alpha=0.0, warmup_target=rate, warmup_steps=rising
    )


class Triangle(keras.optimizers.schedules.LearningRateSchedule):
    """In straight lines from a fifth of the peak up to it, and down to a share of it (Jordan 2024).

    Args:
        peak: the highest learning rate.
        rising, total: after how many steps it is reached, and how many there are in all; rising is less than total.
        final_share: what is left of the peak at the end, 0..1.
    """

    def __init__(self, peak, rising, total, final_share):
        super().__init__()
        self.peak, self.rising, self.total, self.final_share = peak, rising, total, final_share

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        up = TRIANGLE_START + (1 - TRIANGLE_START) * step / max(self.rising, 1)
        down = 1 - (1 - self.final_share) * (step - self.rising) / (self.total - self.rising)
        return self.peak * keras.ops.where(step < self.rising, up, keras.ops.maximum(down, self.final_share))

    def get_config(self):
        return {name: getattr(self, name) for name in ("peak", "rising", "total", "final_share")}


def _triangle(config, steps):
    total = steps * config.epochs
    return Triangle(config.learning_rate, int(total * config.warmup), total, config.final_share)


def _steps(config, steps):
    total, rate = steps * config.epochs, config.learning_rate
    shares = [float(percent) / 100 for percent in config.drops_at.split()]
    # A boundary is the last step before the drop.
    boundaries = [max(0, round(share * total) - 1) for share in shares]
    rates = [rate * config.drop_factor**drops for drops in range(len(shares) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)


def _exponential(config, steps):
    return keras.optimizers.schedules.ExponentialDecay(config.learning_rate, steps, config.drop_factor, staircase=True)


# What the learning rate does by itself; the others leave it to callbacks, or where it is.
SCHEDULES = {"one_cycle": _one_cycle, "triangle": _triangle, "steps": _steps, "exponential": _exponential}


class CoupledSGD(keras.optimizers.SGD):
    """SGD whose weight decay is part of every gradient, so that momentum gathers it."""

    def __init__(self, *arguments, decay, **options):
        super().__init__(*arguments, **options)
        self.decay = decay

    def update_step(self, gradient, variable, learning_rate):
        gradient = keras.ops.add(gradient, keras.ops.cast(self.decay * variable, gradient.dtype))
        super().update_step(gradient, variable, learning_rate)


class Muon(keras.optimizers.Muon):
    """Muon for filters too, as it was made for: Keras' own takes only matrices, and leaves convolutions to AdamW.

    A filter is a matrix with a column for each of its outputs. The last layer, biases and normalisation are AdamW's.
    """

    def _should_use_adamw(self, variable):
        return len(variable.shape) < 2 or "logits" in variable.path

    def _muon_update_step(self, gradient, variable, learning_rate, momentum):
        self.assign_add(momentum, keras.ops.add(gradient, momentum * (self.momentum - 1)))
        step = keras.ops.add(gradient, self.momentum * momentum) if self.nesterov else momentum
        matrix = keras.ops.reshape(step, (-1, variable.shape[-1]))
        matrix = self.lr_adjust(learning_rate * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, keras.ops.reshape(matrix, variable.shape))


def _averaged(config):
    return {"use_ema": bool(config.weight_averaging), "ema_momentum": config.weight_averaging or 0.99}


OPTIMIZERS = {
    "adam": lambda config, rate: keras.optimizers.Adam(rate, **_averaged(config)),
    "adamw": lambda config, rate: keras.optimizers.AdamW(rate, config.weight_decay, **_averaged(config)),
    "sgd": lambda config, rate: _sgd(config, rate),
    "muon": lambda config, rate: Muon(
        rate,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
        adam_weight_decay=config.weight_decay,
        **_averaged(config),
    ),
}


def _sgd(config, rate):
    options = {"momentum": config.momentum, "nesterov": config.nesterov, **_averaged(config)}
    if config.weight_decay and config.decay == "coupled":
        return CoupledSGD(rate, decay=config.weight_decay, **options)
    return keras.optimizers.SGD(rate, weight_decay=config.weight_decay or None, **options)


def _averaging(config):
    return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if config.weight_averaging else []


def _pace(config):
    """What lowers the learning rate and ends the run as the validation loss stops falling."""
    if config.schedule == "plateau":
        yield keras.callbacks.ReduceLROnPlateau(
            factor=config.plateau_factor,
            patience=config.plateau_patience,
            min_lr=config.min_learning_rate,
        )
    if config.early_stopping_patience:
        yield keras.callbacks.EarlyStopping(patience=config.early_stopping_patience)


def _noted(run):
    """Says a sentence in the run's status, and in its log."""

    def note(sentence):
        print(sentence, flush=True)
        run.write_status(note=sentence)

    return note


def _told_to(run):
    """A progress function that tells the run's phase, about once a second."""
    told = 0.0

    def tell(message, fraction):
        nonlocal told
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            run.write_status(phase=message if fraction is None else f"{message}, {fraction:.0%}")

    return tell


def score(model, images, labels, bar=None):
    """What the network, as it is, makes of test images; `bar` names a progress bar.

    Returns:
        Logits (N, classes) float32, and {"test_accuracy": 0..1, "test_loss": mean cross-entropy plus L2 terms}.
    """
    logits = predict(model, images, PREDICT_BATCH, bar)
    penalty = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    return logits, {
        "test_accuracy": scores.accuracy(logits, labels),
        "test_loss": float(scores.losses(logits, labels).mean()) + penalty,
    }


def _export(run, config, model, seconds, data):
    """Writes the network files and, where it is asked for, the map; `seconds` is how long the epochs took."""
    run.write_status(phase="exporting")
    save_network(model, run)
    if keras.backend.backend() == "tensorflow":
        save_tflite(model, run)
    if embedding.is_wanted(config, seconds):
        run.write_status(phase="making the map")
        _, (held_back, _) = config.split(data)
        _make_map(run, model, data.test_images, held_back)


def _make_map(run, model, images, held_back):
    """Writes map.npz, of what the network, as it is, makes of the test images; from the images held back to validate
    follows which other ones are unlike them.
    """
    try:
        arrays = embedding.fit(last_features(model, images, PREDICT_BATCH))
        run.write_map(arrays | familiarity.calibration(arrays, last_features(model, held_back, PREDICT_BATCH)))
    except Exception as error:
        # A run that is trained is not to fail by this.
        why = str(error) if isinstance(error, embedding.NoMapError) else f"{type(error).__name__}, {error}"
        _noted(run)(f"There is no map of the test images: {why.rstrip('.')}.")


def restore_weights(model, weights):
    """Gives a built network the weights that a run kept, except its preprocessing's, which come from the images.

    Raises:
        core.runs.run.RunError: they are those of another network.
    """
    check_fit(model.weights, weights)
    # Keras lists the preprocessing first, as the layer that comes first.
    own = len(fixed_weights(model))
    model.set_weights([*model.get_weights()[:own], *weights[own:]])


def _evaluate(run, model, recorder, best_weights, predictions, data, trained_on):
    """Scores the last and the best epoch on the test images, and the best one on some images and labels that it was
    trained on; writes the predictions, and leaves the best weights in the model.
    """
    history = {row["epoch"]: row for row in recorder.rows}

    def scored(epoch):
        restore_weights(model, read_weights(run, epoch))
        logits, scores = score(model, data.test_images, data.test_labels)
        names = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")
        return logits, {"epoch": epoch, **{name: history[epoch][name] for name in names}, **scores}

    last = None
    if best_weights.last_epoch != best_weights.best_epoch:
        _, last = scored(best_weights.last_epoch)
    logits, best = scored(best_weights.best_epoch)
    # What it gets right of the images that it was trained on, and not of others, it has learned by heart.
    fitted = scores.accuracy(predict(model, trained_on[0], PREDICT_BATCH), trained_on[1])
    best |= {"fitted_accuracy": fitted, "fitted_images": len(trained_on[0])}
    recorded = {"epoch_classes": predictions.classes, "epoch_confidences": predictions.confidences}
    run.write_predictions(logits=logits, labels=data.test_labels, **(recorded if len(predictions.classes) else {}))
    return {
        "best": best,
        "last": last or best,
        "parameters": count_parameters(model).total,
        "epochs": best_weights.last_epoch,
        "seconds": sum(row["seconds"] for row in recorder.rows),
    }
