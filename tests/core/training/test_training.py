"""Training for real, on a handful of images: a small network of each family, and each recipe, fills its run folder."""

import itertools
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from core.config.recipes import RECIPES, make_config
from core.datasets.loading import load
from core.export import litert_reader
from core.export.keras import load_network
from core.networks import alexnet
from core.networks.build import build_model
from core.networks.catalogue import FAMILIES
from core.results.scores import SORT_KEYS, cases, losses
from core.runs.run import RunError, create_run, list_runs
from core.training import train
from core.training.batches import Batches, SequentialBatches, predict
from core.training.callbacks import DivergedError
from core.training.checkpoint import BestWeights
from tests.core.training.filled import expect_a_full_folder
from tests.few_images import eager, few
from tests.folders import finished_run
from tests.on_jax import run_on_jax
from tests.shallow import shallow

TINY = {"image_size": 16, "train_examples": 40, "epochs": 2, "batch_size": 18}


@pytest.fixture
def handful(monkeypatch, artifacts):
    """Few images, and a small AlexNet to learn them."""
    monkeypatch.setattr(train, "load", few)
    shallow(monkeypatch, "alexnet")
    yield
    keras.utils.clear_session(free_memory=True)


@pytest.fixture
def unsaved(monkeypatch, handful):
    """A handful for tests of what is learned: saving the network takes longest, and tells nothing about that."""
    eager(monkeypatch)
    for save in ("save_network", "save_tflite"):
        monkeypatch.setattr(train, save, lambda model, run: None)


def trained(model, recipe="quick", **changes):
    config = make_config(model, "mnist", recipe, **TINY | changes)
    run = create_run(config)
    train.train(config, run.path, verbose=0)
    return run


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_fills_its_folder(handful, monkeypatch, recipe):
    exported = recipe == "quick"
    if not exported:
        monkeypatch.setattr(train, "save_tflite", lambda model, run: run.tflite_path.write_bytes(b"\0\0\0\0TFL3"))
    run = trained("alexnet", recipe, map="on" if exported else "auto")
    expect_a_full_folder(run, 2, exported)


@pytest.fixture
def exported(monkeypatch, artifacts):
    """Ends a run whose epochs took so many seconds, with or without a map."""
    for save in ("save_network", "save_tflite"):
        monkeypatch.setattr(train, save, lambda model, run: None)

    def export(seconds, features=None, **changes):
        monkeypatch.setattr(train, "last_features", lambda *about: np.eye(20, 5) if features is None else features)
        run = create_run(make_config("alexnet", "mnist", **changes))
        train._export(run, run.read_config(), None, seconds, few("mnist"))
        return run

    return export


@pytest.mark.parametrize("features", [np.zeros((20, 5)), np.full((20, 5), np.nan), "no features"])
def test_a_run_of_whose_images_no_map_can_be_made_does_not_fail_but_says_so(exported, features):
    run = exported(1, features, map="on")
    assert run.read_map() is None
    assert run.read_status()["note"].startswith("There is no map of the test images: ")


def test_the_map_is_made_after_a_long_training_unless_it_is_switched_off(exported):
    for run in (exported(9), exported(9e9, map="off")):
        assert run.read_map() is None
        assert "note" not in run.read_status()
    assert len(exported(9e9).read_map()["points"]) == 20


def test_the_map_of_a_training_is_calibrated_where_there_are_enough_validation_images(exported):
    features = np.random.default_rng(0).normal(size=(500, 5))
    assert exported(9e9, features).read_map()["validation_images"] == 500
    assert "validation_images" not in exported(9e9, features[:400]).read_map()


@pytest.mark.parametrize("sort_by", SORT_KEYS)
def test_what_a_network_is_all_but_certain_of_is_kept_so_that_it_can_be_told_apart(artifacts, sort_by):
    """A network whose logit of class 0 is a quarter of the image's only pixel, which no two images share."""
    pixels = np.random.default_rng(0).permutation(250).astype("uint8")
    dense = keras.layers.Dense(10)
    image = keras.Input((1, 1, 1), dtype="uint8")
    network = keras.Model(image, dense(keras.layers.Rescaling(1 / 4)(keras.layers.Flatten()(image))))
    dense.set_weights([np.eye(1, 10), np.zeros(10)])
    run, labels = finished_run(), np.zeros(250, "uint8")
    logits, scores = train.score(network, pixels.reshape(-1, 1, 1, 1), labels)
    assert scores["test_accuracy"] == 1
    run.write_predictions(logits=logits, labels=labels)
    kept = run.read_predictions()
    order = cases(kept["logits"], kept["labels"], sort_by=sort_by, descending=sort_by == "confidence")
    assert pixels[order].tolist() == list(range(249, -1, -1))


def test_a_network_that_an_earlier_version_saved_is_still_read(artifacts):
    """Written with the project's own layer class in it, and a dense layer for a network."""
    run = finished_run()
    shutil.copy(Path(__file__).parents[2] / "older_network.keras", run.model_path)
    images = np.random.default_rng(1).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
    logits = [0.6323, 0.3873, -2.4124, -0.4466, -0.6674, -1.0092, -1.5366, -4.2887, 0.0073, 0.3999]
    assert load_network(run).predict(images, verbose=0)[0] == pytest.approx(logits, abs=2e-4)


def test_what_was_trained_in_bfloat16_is_measured_and_saved_in_float32_and_8_bits(handful, monkeypatch):
    # So large that nearly all of its file are weights.
    monkeypatch.setitem(alexnet.ARCHITECTURES["alexnet"], "hidden_units", (1000, 1000))
    eager(monkeypatch)
    run = trained("alexnet", precision="mixed_bfloat16")
    assert {layer.compute_dtype for layer in load_network(run).layers} == {"float32"}
    assert run.tflite_path.stat().st_size < 1.1 * run.read_metrics()["parameters"]
    images, probabilities = few("mnist").test_images, run.read_predictions()["probabilities"]
    assert litert_reader.Classifier(run).classify(images) == pytest.approx(probabilities, abs=0.1)


def test_the_best_epoch_is_the_one_that_what_is_monitored_says(artifacts):
    logs = [
        {"val_loss": 0.3, "val_accuracy": 0.8},
        {"val_loss": 0.4, "val_accuracy": 0.9},
        {"val_loss": 0.5, "val_accuracy": 0.7},
    ]
    for monitor, best in (("validation_loss", 1), ("validation_accuracy", 2)):
        run = create_run(make_config("alexnet", "mnist", monitor=monitor))
        best_weights = BestWeights(run, run.read_config())
        best_weights.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        for epoch, said in enumerate(logs):
            best_weights.on_epoch_end(epoch, said)
        assert (best_weights.best_epoch, best_weights.last_epoch) == (best, 3)


def test_another_seed_gives_another_run(unsaved):
    """That the same one gives the same is tested where runs are cut and resumed."""
    columns = ["train_loss", "validation_loss", "train_accuracy"]
    first, other = (trained("alexnet", seed=seed, epochs=1).read_history()[columns].to_numpy() for seed in (1, 2))
    assert first != pytest.approx(other, rel=1e-4)


def test_the_losses_contain_the_l2_terms(monkeypatch):
    eager(monkeypatch)
    config = make_config(shallow(monkeypatch, "alexnet"), "mnist", "quick", image_size=16, l2=0.1)
    model, data = build_model(config, (28, 28, 1)), few("mnist")
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    terms = 0.1 * sum(float(np.square(layer.kernel.numpy()).sum()) for layer in convolutions)
    assert terms > 0.5
    logits, measured = train.score(model, data.test_images, data.test_labels)
    assert measured["test_loss"] == pytest.approx(losses(logits, data.test_labels).mean() + terms, rel=1e-4)
    train.compile_model(model, config, 1)
    validated, _ = model.test_on_batch(data.test_images, np.eye(10, dtype="float32")[data.test_labels])
    assert validated == pytest.approx(measured["test_loss"], rel=1e-4)


def test_a_network_too_eager_to_learn_fails_in_one_sentence(unsaved):
    # Leaky, since a network whose units are all dead has a loss that is a number for ever.
    headlong = {"optimizer": "sgd", "schedule": "constant", "activation": "leaky_relu", "batch_normalization": False}
    with pytest.raises(DivergedError, match=r"The loss stopped being a number in epoch \d, step \d; try a lower"):
        trained("alexnet", learning_rate=10.0, epochs=9, **headlong)


def test_a_validation_loss_that_is_never_a_number_is_said_as_that(unsaved, monkeypatch):
    class NotNumbers(SequentialBatches):
        def __getitem__(self, index):
            images, targets = super().__getitem__(index)
            return images, np.nan * targets

    monkeypatch.setattr(train, "SequentialBatches", NotNumbers)
    with pytest.raises(
        RunError, match=r"^The validation loss is not a number in any epoch; try a lower learning rate\.$"
    ):
        trained("alexnet")


def test_early_stopping_ends_the_run_before_its_last_epoch(unsaved):
    run = trained("alexnet", epochs=40, early_stopping_patience=1, schedule="constant", learning_rate=0.02)
    metrics = run.read_metrics()
    assert metrics["epochs"] == metrics["best"]["epoch"] + 1 < 40


def test_the_validation_split_is_the_front_of_the_training_images():
    data = load("mnist")
    config = make_config("alexnet", "mnist", "report")
    (images, labels), (held_back, _) = config.split(data)
    assert (len(images), len(held_back)) == (54_000, 6_000)
    assert np.array_equal(held_back, data.train_images[:6_000])
    assert np.array_equal(labels, data.train_labels[6_000:])


def test_every_image_comes_once_an_epoch_in_an_order_of_its_own():
    config = make_config("alexnet", "mnist", batch_size=7, label_smoothing=0.1)
    images = np.arange(20, dtype="uint8").reshape(20, 1, 1, 1)
    batches = Batches(images, np.arange(20) % 10, config, 10)
    epochs = []
    for epoch in range(2):
        batches.start_at(epoch)
        pairs = [batches[index] for index in range(len(batches))]
        seen = np.concatenate([pixels.ravel() for pixels, _ in pairs])
        targets = np.concatenate([targets for _, targets in pairs])
        assert sorted(seen) == list(range(20))
        assert (targets.argmax(axis=1) == seen % 10).all()
        assert targets.max() == pytest.approx(0.91)
        epochs.append(seen.tolist())
    assert epochs[0] != epochs[1]
    batches.start_at(1, step=2)
    assert len(batches) == 1
    assert batches[0][0].ravel().tolist() == epochs[1][14:]


def epochs_of(images, count, **options):
    """What is trained on in each of so many epochs: the images of each in file order."""
    config = make_config("alexnet", "cifar10", batch_size=7, **options)
    # Each image's number is its label, so that it is known again.
    batches = Batches(images, np.arange(len(images)), config, len(images))
    for epoch in range(count):
        batches.start_at(epoch)
        parts = [batches[index] for index in range(len(batches))]
        order = np.argsort(np.concatenate([targets.argmax(axis=1) for _, targets in parts]))
        yield np.concatenate([pixels for pixels, _ in parts])[order]


def test_with_alternating_flips_each_image_is_mirrored_in_every_other_epoch():
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
    epochs = []
    for seen in epochs_of(images, 4, flip=True, alternating_flip=True):
        epochs.append((seen == images[:, :, ::-1]).all(axis=(1, 2, 3)))
        assert (epochs[-1] | (seen == images).all(axis=(1, 2, 3))).all()
    assert 10 < epochs[0].sum() < 30
    for before, after in itertools.pairwise(epochs):
        assert (before ^ after).all()
    # Alternating is a way of flipping, and not a reason to flip.
    assert (next(epochs_of(images, 1, flip=False, alternating_flip=True)) == images).all()


def test_random_crops_reach_as_far_as_the_border_which_is_the_image_in_a_mirror():
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 9, 3), dtype=np.uint8)
    bordered = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    places = [(down, right) for down in range(5) for right in range(5)]
    found = []
    for seen in epochs_of(images, 3, flip=False, crop_padding=2):
        for border, image in zip(bordered, seen, strict=True):
            found += [at for at in places if (border[at[0] : at[0] + 8, at[1] : at[1] + 9] == image).all()]
    assert len(found) == 180
    assert set(found) == set(places)


def test_a_border_is_never_wider_than_the_image():
    images = np.random.default_rng(0).integers(0, 256, (9, 3, 3, 1), dtype=np.uint8)
    (seen,) = epochs_of(images, 1, flip=False, crop_padding=16)
    assert seen.shape == images.shape


def test_mixup_gives_images_and_labels_the_same_shares():
    # Each image is of one grey, by which it is known in the mixture.
    greys = np.array([0, 10, 30, 70, 150, 250], np.uint8)
    images = np.broadcast_to(greys[:, None, None, None], (6, 4, 4, 1))
    config = make_config("alexnet", "mnist", batch_size=6, mixup=0.5, label_smoothing=0.1)
    batches, shares = Batches(images, np.arange(6), config, 6), []
    for epoch in range(20):
        batches.start_at(epoch)
        pixels, targets = batches[0]
        assert (pixels.dtype, targets.dtype) == (np.uint8, np.float32)
        assert targets.sum(axis=1) == pytest.approx(np.ones(6))
        share_of_each = (targets - 0.1 / 6) / 0.9
        assert pixels[:, 0, 0, 0] == pytest.approx(share_of_each @ greys, abs=0.51)
        assert (share_of_each.round(4) > 0).sum(axis=1).max() <= 2
        shares.append(share_of_each.max(axis=1).min())
    # Drawn anew for each batch: with this alpha often near 1, and at times near a half.
    assert len({round(share, 3) for share in shares}) > 10
    assert min(shares) < 0.7


def test_what_happens_to_a_batch_depends_on_seed_epoch_and_step_and_not_on_where_it_was_begun():
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)

    def batches(epoch, step, seed=3):
        config = make_config("alexnet", "cifar10", batch_size=7, seed=seed, alternating_flip=True, crop_padding=3)
        begun = Batches(images, np.arange(30) % 10, config, 10)
        begun.start_at(epoch, step)
        return begun

    resumed, whole, other = batches(1, 2), batches(1, 0), batches(1, 0, seed=4)
    for mine, theirs in zip(resumed[0], whole[2], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not np.array_equal(resumed[0][0], other[2][0])
    moved = [batches(epoch, 0)[step][0].tobytes() for epoch in (0, 1) for step in (0, 1)]
    assert len(set(moved)) == 4


def test_validation_reads_every_image_once_in_file_order():
    images, labels = np.arange(7, dtype="uint8").reshape(7, 1, 1, 1), np.arange(7) % 3
    batches = SequentialBatches(images, labels, classes=3, batch_size=4)
    parts = [batches[index] for index in range(len(batches))]
    assert [len(pixels) for pixels, _ in parts] == [4, 3]
    assert np.concatenate([pixels for pixels, _ in parts]).ravel().tolist() == list(range(7))
    assert np.concatenate([targets for _, targets in parts]).tolist() == np.eye(3)[labels].tolist()


def test_predictions_in_batches_are_those_of_all_images_at_once():
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    images = np.random.default_rng(0).random((7, 2, 2, 1), "float32")
    assert predict(model, images, batch_size=4) == pytest.approx(np.asarray(model(images)), abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "translate", "compiled"),
    [("auto", 0.0, False), ("on", 0.0, True), ("off", 0.0, False), ("auto", 0.1, False)],
)
def test_xla_compiles_the_step_where_it_is_asked_to(asked, translate, compiled):
    config = make_config(
        "alexnet", "mnist", image_size=16, jit_compile=asked, translate=translate, flip=True, erase=0.3
    )
    model = build_model(config, (28, 28, 1))
    train.compile_model(model, config, steps=1)
    # Warnings are errors here, and Keras would warn of what it cannot compile.
    assert model.jit_compile == compiled


@pytest.mark.parametrize("moving", [{"translate": 0.1}, {"rotate": 10.0}, {"scale": 0.1}])
def test_random_shifts_that_cannot_be_compiled_are_said_in_one_sentence(moving):
    config = make_config("alexnet", "mnist", image_size=16, jit_compile="on", **{"translate": 0.0} | moving)
    with pytest.raises(RunError, match=r"^TensorFlow cannot compile random shifts with XLA: set translate to 0, "):
        train.compile_model(build_model(config, (28, 28, 1)), config, steps=1)


@pytest.mark.parametrize("optimizer", train.OPTIMIZERS)
def test_one_cycle_rises_to_the_peak_and_falls_to_nothing(optimizer):
    config = make_config("alexnet", "mnist", optimizer=optimizer, learning_rate=0.1, warmup=0.25, epochs=4)
    schedule = train.make_optimizer(config, steps=25)._learning_rate
    rates = [float(schedule(step)) for step in range(101)]
    assert rates[0] == pytest.approx(0.1 / 25)
    assert np.argmax(rates) == 25
    assert max(rates) == pytest.approx(0.1)
    assert rates[100] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("warmup", "peak"), [(0.25, 25), (0.0, 0)])
def test_a_triangle_goes_up_and_down_in_straight_lines_to_its_share_of_the_peak(warmup, peak):
    options = {"schedule": "triangle", "learning_rate": 0.5, "warmup": warmup, "final_share": 0.07, "epochs": 4}
    schedule = train.make_optimizer(make_config("alexnet", "mnist", **options), steps=25)._learning_rate
    rates = [float(schedule(step)) for step in range(111)]
    assert rates[peak] == pytest.approx(0.5)
    assert rates[0] == pytest.approx(0.1 if peak else 0.5)
    assert rates[100] == rates[110] == pytest.approx(0.035)
    # Straight lines bend only at the peak and at the end.
    bends = np.flatnonzero(np.abs(np.diff(rates, 2)) > 1e-5) + 1
    assert bends.tolist() == [peak, 100][not peak :]


def test_muon_makes_the_steps_of_filters_orthogonal_and_leaves_the_rest_to_adam():
    config = make_config("lenet5", "mnist", optimizer="muon", learning_rate=0.1, schedule="constant", weight_decay=0.0)
    network = keras.Sequential([keras.Input((5, 5, 4)), keras.layers.Conv2D(8, 3), keras.layers.Flatten()])
    network.add(keras.layers.Dense(3, name="logits"))
    weights, before = network.trainable_variables, network.get_weights()
    optimizer = train.make_optimizer(config, steps=1)
    random = np.random.default_rng(0)
    optimizer.apply([keras.ops.array(random.normal(size=w.shape).astype("float32")) for w in weights], weights)
    kernel, *others = (old - new for old, new in zip(before, network.get_weights(), strict=True))
    # All directions alike, and as long as Adam's steps are: 0.2 of the root of the longer side.
    lengths = np.linalg.svd(kernel.reshape(-1, 8), compute_uv=False) / (0.1 * 0.2 * np.sqrt(36))
    assert lengths.min() > 0.5
    assert lengths.max() < 1.3
    for step in others:
        assert np.abs(step) == pytest.approx(np.full(step.shape, 0.1), rel=1e-2)


def test_muon_shrinks_filters_and_not_biases():
    config = make_config("lenet5", "mnist", optimizer="muon", learning_rate=0.1, schedule="constant", weight_decay=0.5)
    kernel, bias = (
        keras.Variable(np.ones(shape, "float32"), name=name) for shape, name in (((3, 3, 1, 2), "kernel"), (2, "bias"))
    )
    train.make_optimizer(config, steps=1).apply(
        [keras.ops.zeros(each.shape) for each in (kernel, bias)], [kernel, bias]
    )
    assert np.asarray(kernel) == pytest.approx(np.full((3, 3, 1, 2), 0.95))
    assert np.asarray(bias) == pytest.approx(np.ones(2))


@pytest.mark.parametrize(("drops_at", "rates"), [("50 75", [1, 0.2, 0.04]), ("30 60 80", [1, 0.2, 0.04, 0.008])])
def test_steps_drop_the_rate_at_their_shares_of_the_run(drops_at, rates):
    options = {"schedule": "steps", "drops_at": drops_at, "drop_factor": 0.2, "learning_rate": 1.0, "epochs": 10}
    schedule = train.make_optimizer(make_config("lenet5", "mnist", **options), steps=10)._learning_rate
    shares = [0, *[int(float(percent)) for percent in drops_at.split()]]
    for share, rate in zip(shares, rates, strict=False):
        assert float(schedule(share)) == pytest.approx(rate)
        assert share == 0 or float(schedule(share - 1)) == pytest.approx(rate / 0.2)


def test_the_exponential_schedule_lowers_the_rate_after_each_epoch():
    options = {"schedule": "exponential", "drop_factor": 0.5, "learning_rate": 1.0}
    schedule = train.make_optimizer(make_config("lenet5", "mnist", **options), steps=10)._learning_rate
    assert [float(schedule(step)) for step in (0, 9, 10, 25)] == [1, 1, 0.5, 0.25]


@pytest.mark.parametrize(("decay", "weights"), [("coupled", [0.9, 0.72]), ("decoupled", [0.9, 0.81])])
def test_coupled_decay_is_gathered_by_momentum_and_decoupled_is_not(decay, weights):
    options = {"optimizer": "sgd", "nesterov": False, "weight_decay": 0.1, "decay": decay, "schedule": "constant"}
    optimizer = train.make_optimizer(make_config("lenet5", "mnist", **options, learning_rate=1.0), steps=1)
    variable = keras.Variable([1.0], name="kernel")
    for weight in weights:
        optimizer.apply([keras.ops.zeros(1)], [variable])
        assert float(keras.ops.convert_to_numpy(variable)[0]) == pytest.approx(weight)


@pytest.mark.timeout(600)
def test_each_family_works_on_jax_and_what_was_saved_there_answers_the_same_on_tensorflow(artifacts):
    run_on_jax(Path(__file__).with_name("train_on_jax.py"), *FAMILIES)
    saved = [run for run in list_runs() if run.model_path.exists()]
    for run in saved:
        logits = np.asarray(keras.saving.load_model(run.model_path)(few("mnist").test_images, training=False))
        assert logits == pytest.approx(np.load(run.path / "logits.npy"), rel=1e-3, abs=1e-3), run
    # GoogLeNet and FractalNet have parts of this project's own, which act only in training.
    assert len(saved) == len(list_runs()) - 2 == len(FAMILIES) - 2
    assert keras.backend.backend() == "tensorflow"
