"""Settings: what is allowed, and that signatures know all of them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hydra import compose, initialize_config_dir

from cl3d.config_paths import CONFIGS
from cl3d.data.load import Options
from cl3d.data.settings import SettingKeywords, Settings
from cl3d.errors import InputError


def test_keywords_are_the_fields():
    assert set(SettingKeywords.__annotations__) == {field.name for field in fields(Settings)}
    assert set(Options.__annotations__) >= {"cache", "progress", "check"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"num_points": 0}, "num_points=0: give a whole number from 1"),
        ({"num_points": 2.5}, "num_points=2.5"),
        ({"num_points": True}, "num_points=True"),
        ({"num_points": 10**12}, "num_points=1000000000000: give at most 1048576"),
        ({"sampling": "poisson"}, "sampling is 'poisson'; give 'random'"),
        ({"rotation": "z"}, "rotation is 'z'; give None"),
        ({"rotation": False}, "rotation is False"),
        ({"normalize": 1}, "normalize=1: give true or false"),
        ({"drop_duplicates": "yes"}, "drop_duplicates=yes: give true or false"),
        ({"seed": "a"}, "seed=a: give a whole number"),
        ({"seed": None}, "seed=None"),
    ],
)
def test_other_values_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        Settings(**given)


@pytest.mark.parametrize("path", sorted((CONFIGS / "dataset").glob("*.yaml")), ids=lambda path: path.stem)
def test_configs_of_prepared_data_sets_name_every_setting(path):
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        config = compose("data", [f"dataset={path.stem}"]).data
    if "root" not in config:
        pytest.skip("made on the spot")
    named = {field.name: field.default for field in fields(Settings)}
    assert {name: config[name] for name in named} == named
    assert config.progress._target_ == "cl3d.report.data.progress"
