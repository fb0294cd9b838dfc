"""RunConfig: validation, recipes and JSON."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.config import papers
from core.config.fields import Number
from core.config.recipes import RECIPES, make_config, overrides
from core.config.run_config import FIELDS, ConfigError, RunConfig, described
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import FAMILIES, NETWORKS, TRAITS
from core.results.reference import NETWORKS_OF_REPORT

TRIPLES = [(network, dataset, recipe) for network in NETWORKS for dataset in DATASETS for recipe in RECIPES]
CONFIGS = json.loads(Path(__file__).with_name("recipe_configs.json").read_text("utf-8"))
ADDED = """
import json
from core.networks.catalogue import NETWORKS

NETWORKS |= {
    "unknown": NETWORKS["alexnet"] | {"family": "none", "traits": {"batch_normalized", "residual", "deep"}},
    "plain": NETWORKS["alexnet"] | {"family": "none", "traits": set()},
    "vgg13": NETWORKS["vgg16"] | {"label": "VGG-13"},
    "resnet18": NETWORKS["resnet34"] | {"label": "ResNet-18"},
}

from core.datasets.catalogue import DATASETS
from core.config.recipes import RECIPES, make_config

def settings(name, recipe):
    return {dataset: make_config(name, dataset, recipe).to_dict() for dataset in DATASETS}

names = ("unknown", "plain", "vgg13", "resnet18")
found = {name: {recipe: settings(name, recipe) for recipe in RECIPES} for name in names}
print(json.dumps(found))
"""
NUMBERS = [field for field in FIELDS.values() if isinstance(field.metadata["kind"], Number)]


@pytest.mark.parametrize(("network", "dataset", "recipe"), TRIPLES)
def test_every_recipe_configures_every_pair_and_survives_json(network, dataset, recipe):
    config = make_config(network, dataset, recipe)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert overrides(config) == {}


def test_the_report_recipe_says_what_the_report_says():
    for network in NETWORKS_OF_REPORT:
        config = make_config(network, "cifar10", "report")
        assert (config.optimizer, config.learning_rate, config.batch_size, config.epochs) == ("adam", 1e-3, 128, 100)
        assert (config.schedule, config.plateau_patience, config.min_learning_rate) == ("plateau", 3, 5e-7)
        assert config.plateau_factor == pytest.approx(math.sqrt(0.1))
        assert (config.image_size, config.translate, config.flip, config.standardize) == (64, 0.1, True, False)
        assert (config.train_examples, config.validation_split) == (0, 0.1)
        assert (config.weight_decay, config.label_smoothing, config.weight_averaging) == (0, 0, 0)
    alexnet, vgg, resnet = (make_config(network, "mnist", "report") for network in ("alexnet", "vgg16", "resnet34"))
    assert [c.early_stopping_patience for c in (alexnet, vgg, resnet)] == [10, 10, 15]
    assert [c.l2 for c in (alexnet, vgg, resnet)] == [0, 1e-4, 1e-4]
    assert [c.dropout for c in (alexnet, vgg, resnet)] == [0.3, 0.3, 0.2]
    assert [c.activation for c in (alexnet, vgg, resnet)] == ["relu", "relu", "leaky_relu"]
    assert [c.batch_normalization for c in (alexnet, vgg, resnet)] == [False, False, True]


@pytest.mark.parametrize(("triple", "kept"), CONFIGS.items(), ids=CONFIGS)
def test_a_recipe_has_exactly_the_settings_that_it_had(triple, kept):
    """As they were when the results in docs were trained: where they depart from the defaults."""
    network, dataset, recipe = triple.split()
    default = RunConfig(network=network, dataset=dataset, recipe=recipe).to_dict()
    values = make_config(network, dataset, recipe).to_dict()
    assert {name: value for name, value in values.items() if value != default[name]} == kept


@pytest.fixture(scope="module")
def added():
    """Name -> recipe -> dataset -> settings of networks that were added in a process of its own, as others will."""
    printed = subprocess.run([sys.executable, "-c", ADDED], capture_output=True, text=True, check=True).stdout
    return json.loads(printed)


@pytest.mark.parametrize("name", ["unknown", "plain", "vgg13", "resnet18"])
def test_a_network_added_tomorrow_gets_settings_under_every_recipe_that_can_be_trained(added, name):
    assert set(added[name]) == set(RECIPES)
    for recipe, settings in added[name].items():
        for dataset in DATASETS:
            # Whatever the network, the settings themselves are allowed.
            RunConfig.from_dict(settings[dataset] | {"network": "alexnet"})
            assert settings[dataset]["recipe"] == recipe


@pytest.mark.parametrize(("name", "like"), [("vgg13", "vgg16"), ("resnet18", "resnet34")])
def test_a_network_of_a_known_family_gets_its_familys_settings(added, name, like):
    for recipe, settings in added[name].items():
        for dataset in DATASETS:
            assert settings[dataset] == make_config(like, dataset, recipe).to_dict() | {"network": name}


def test_a_network_of_an_unknown_family_gets_what_its_traits_say(added):
    report, quick, modern = (added["unknown"][recipe] for recipe in ("report", "quick", "modern"))
    # Like DenseNet: normalised, residual, deep, without hidden dense layers.
    assert report["mnist"]["batch_normalization"]
    assert (report["mnist"]["dropout"], report["mnist"]["l2"], report["mnist"]["activation"]) == (0.2, 1e-4, "relu")
    assert quick["mnist"]["dropout"] == modern["cifar10"]["dropout"] == 0
    assert quick["mnist"]["learning_rate"] == 1e-3
    assert (modern["cifar10"]["epochs"], modern["cifar10"]["image_size"]) == (9, 64)
    # Without any trait: small and plain.
    assert not added["plain"]["report"]["mnist"]["batch_normalization"]
    assert added["plain"]["modern"]["cifar10"]["epochs"] == 10


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_rule_names_a_network(recipe):
    for where, _ in RECIPES[recipe]["rules"]:
        assert set(where) <= {"dataset", "family", *TRAITS}


@pytest.mark.parametrize(
    ("network", "wanted"),
    [
        (
            "resnet110",
            {"optimizer": "sgd", "batch_size": 128, "epochs": 182, "drops_at": "50 75", "weight_decay": 1e-4}
            | {"crop_padding": 4, "translate": 0, "flip": True, "alternating_flip": False, "erase": 0},
        ),
        ("resnet110_stochastic", {"epochs": 500, "stochastic_depth": 0.5}),
        ("preact_resnet1001", {"epochs": 164, "batch_size": 64}),
        ("wrn28_10", {"epochs": 200, "drops_at": "30 60 80", "drop_factor": 0.2, "weight_decay": 5e-4, "dropout": 0.3}),
        ("densenet40", {"epochs": 300, "batch_size": 64, "nesterov": True, "dropout": 0}),
        ("fractalnet20", {"epochs": 400, "batch_size": 100, "stochastic_depth": 0.15, "learning_rate": 0.02}),
        ("vgg16", {"epochs": 74, "batch_size": 256, "schedule": "plateau", "batch_normalization": False}),
        ("hvc", {"epochs": 300, "optimizer": "adam", "drop_factor": 0.98, "weight_averaging": 0.999}),
    ],
)
def test_the_paper_recipe_is_what_the_networks_paper_says(network, wanted):
    assert make_config(network, "cifar10", "paper").to_dict().items() >= wanted.items()


def test_every_family_has_its_papers_own_training_with_its_source():
    assert {where["family"] for where, _, _ in papers.RULES if "family" in where} == set(FAMILIES)
    assert all(source for _, _, source in papers.RULES)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_modern_recipe_flips_only_what_stays_itself_in_a_mirror(dataset):
    assert make_config("vgg16", dataset, "modern").flip == (dataset != "mnist")


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.name)
def test_a_number_out_of_range_is_refused_in_one_sentence(field):
    too_much = field.type(math.ceil(field.metadata["kind"].high) + 1)
    for bad in (too_much, -1, 10**400, math.nan, math.inf, "much", None, True):
        with pytest.raises(ConfigError, match=rf"^{field.metadata['label']} is .*[^.]\.$"):
            make_config("alexnet", "mnist", **{field.name: bad})


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.name)
def test_both_ends_of_a_range_are_allowed_and_zero_where_it_means_something(field):
    kind = field.metadata["kind"]
    for value in [kind.low, kind.high, *[0] * bool(kind.zero_means)]:
        assert getattr(make_config("alexnet", "mnist", **{field.name: value}), field.name) == value


def test_a_fraction_is_no_number_of_epochs():
    with pytest.raises(ConfigError, match="whole number"):
        make_config("alexnet", "mnist", epochs=2.5)
    assert make_config("alexnet", "mnist", epochs=3.0).epochs == 3


@pytest.mark.parametrize(
    "names", [("lenet", "mnist", "quick"), ("alexnet", "svhn", "quick"), ("alexnet", "mnist", "slow")]
)
def test_unknown_names_are_refused_and_the_known_ones_listed(names):
    with pytest.raises(ConfigError, match=r"is one of \w+, "):
        make_config(*names)


def test_an_unknown_setting_is_refused_by_name():
    for make in (lambda: make_config("alexnet", "mnist", surprise=0.1), lambda: RunConfig.from_dict({"surprise": 1})):
        with pytest.raises(ConfigError) as caught:
            make()
        assert str(caught.value) == "There is no setting called 'surprise'; it may be from a newer version."


def test_overrides_are_what_departs_from_the_recipe():
    config = make_config("resnet34", "mnist", "report", epochs=2, dropout=0.2)
    assert overrides(config) == {"epochs": 2}


def test_the_recipe_field_offers_exactly_the_recipes():
    assert FIELDS["recipe"].metadata["kind"].names == tuple(RECIPES)


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_every_setting_says_what_it_does_and_what_it_may_be(field):
    said = described(field)
    assert said.startswith(field.metadata["help"])
    assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in said.removesuffix(".").split(". "))
    assert said.endswith(".")
    if field in NUMBERS:
        assert re.search(r" Between [\d.,]+ and [\d.,]+(, or 0 for \w+)?\.$", said)


def test_settings_of_older_runs_are_read_by_the_names_they_have_now():
    config = make_config("vgg16", "cifar10", translate=0.2, standardize=False)
    values = config.to_dict()
    values |= {"shift": values.pop("translate"), "divide_by_deviation": values.pop("standardize")}
    assert RunConfig.from_dict(values) == config
    with pytest.raises(ConfigError, match=r"^shift is 2, not between 0 and 0\.5\.$"):
        RunConfig.from_dict(values | {"shift": 2})
    with pytest.raises(ConfigError, match="There is no setting called 'shift'"):
        make_config("vgg16", "cifar10", shift=0.2)


def test_the_help_of_every_setting_says_what_is_usual():
    silent = [name for name, field in FIELDS.items() if "usual" not in field.metadata["help"]]
    # Who chooses these says everything, and flips depend on what is on the images.
    assert silent == ["network", "dataset", "recipe", "optimizer", "flip"]


def test_no_recipe_is_called_as_the_report_is():
    assert not {"report", "the report"} & {recipe["label"].lower() for recipe in RECIPES.values()}
