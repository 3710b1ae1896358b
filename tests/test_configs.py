"""Every config composes and builds, and the presets say the same in YAML as in Python."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cl3d.config_paths import CONFIGS, order_file
from cl3d.distill import Budget, Condenser, Training, presets, protocols
from cl3d.errors import InputError
from cl3d.models import Backbone, SegmentationNet
from cl3d.settings import budget, build
from cl3d.tasks import build_model


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def composed(config: str, *overrides: str):
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        return compose(config, overrides=list(overrides))


def test_there_are_configs():
    assert {"pcc", "dm", "herding"} <= set(choices("condenser"))


@pytest.mark.parametrize("name", choices("condenser"))
def test_condensers_are_their_presets(name):
    built = build(composed("distill", f"condenser={name}").condenser)
    assert built == getattr(presets, name)()
    assert name in choices("buffer"), "every condenser is a buffer, too"


@pytest.mark.parametrize("name", choices("condenser"))
def test_every_setting_of_a_condenser_can_be_given(name):
    config = composed("distill", f"condenser={name}").condenser
    named = {field.name for field in fields(Condenser)} - {"objective"}  # null where there is none
    assert named <= set(config)


@pytest.mark.parametrize("name", choices("buffer"))
def test_buffers_build(name):
    built = build(composed("cl_run", f"buffer={name}").condenser)
    assert isinstance(built, Condenser)
    assert built.name == name


@pytest.mark.parametrize("part", ["initializer", "parameterization", "objective", "surrogates", "optimizer"])
def test_every_part_can_be_swapped_in_every_condenser(part):
    for name in choices("condenser"):
        for choice in choices(f"condenser/{part}"):
            config = composed(
                "distill", f"condenser={name}", f"condenser/{part}={choice}", "condenser.iterations=2"
            )
            if (refusal := makes_no_sense(config.condenser)) is not None:
                with pytest.raises(InputError, match=refusal):
                    build(config.condenser)
            else:
                assert isinstance(build(config.condenser), Condenser)


def makes_no_sense(condenser) -> str | None:
    if "balanced" in condenser:  # a reservoir
        if condenser.get("objective") or condenser.initializer != {"_target_": "cl3d.distill.Random"}:
            return "draws its clouds itself"
        stores_clouds = condenser.parameterization._target_.endswith("Points")
        return None if stores_clouds else "give parameterization=points"
    objective, from_noise = condenser.get("objective"), condenser.parameterization.get("fit_iterations") == 0
    if objective is None:
        return "give an objective, or fit_iterations" if from_noise else None
    trajectories = objective._target_.endswith("TrajectoryMatching")
    return "give surrogates=experts" if trajectories and "experts" not in condenser.surrogates else None


SEGMENTATION = [name for name in choices("model") if name.endswith("_segmentation")]


@pytest.mark.parametrize("name", [name for name in choices("model") if name not in SEGMENTATION])
def test_models_build(name):
    assert isinstance(build_model(composed("distill", f"model={name}").model)(3), Backbone)


@pytest.mark.parametrize("name", SEGMENTATION)
def test_models_that_segment_build(name):
    config = composed("distill", "task=part_segmentation", f"model={name}").model
    net = build_model(config, num_parts=7)(3)
    assert isinstance(net, SegmentationNet)
    assert (net.num_shapes, net.num_parts) == (3, 7)


@pytest.mark.parametrize("name", SEGMENTATION)
def test_models_that_segment_have_their_defaults(name):
    config = composed("distill", "task=part_segmentation", f"model={name}").model
    if name == "pointnet_light_segmentation":  # a choice of sizes, of the same class
        return
    make = build(config)
    plain = make.func(3, 7)
    wanted = {key: value.shape for key, value in plain.state_dict().items()}
    assert {key: value.shape for key, value in make(3, 7).state_dict().items()} == wanted


@pytest.mark.parametrize("config", ["distill", "evaluate", "compare"])
def test_a_task_picks_networks(config):
    needed = ["set=x"] if config == "evaluate" else []
    segmenting = composed(config, "task=part_segmentation", *needed)
    assert segmenting.task == "part_segmentation"
    assert segmenting.model == composed(config, "model=pointnet_light_segmentation", *needed).model
    own = composed(config, "task=part_segmentation", "model=dgcnn_segmentation", *needed)
    assert own.model._target_.endswith("DGCNNSegmentation")
    # to classify is said by saying nothing: what was written before there were tasks stays as it was
    assert composed(config, "task=classification", *needed) == composed(config, *needed)
    assert "task" not in composed(config, *needed)


@pytest.mark.parametrize("name", choices("strategy"))
def test_strategies_build(name):
    built = build(composed("cl_run", f"strategy={name}").strategy)
    assert built.name == name
    assert isinstance(built.training, Training)


@pytest.mark.parametrize("name", choices("training"))
def test_trainings_are_their_protocols(name):
    built = build(composed("evaluate", f"training={name}", "set=x").training)
    assert built == getattr(protocols, name)()


@pytest.mark.parametrize("name", choices("experiment"))
def test_experiments_compose(name):
    config = composed("cl_run", f"experiment={name}")
    assert config.ppc == 5
    assert config.condenser.iterations == 1000, "an experiment has the last word over the buffer's schedule"
    assert isinstance(build(config.condenser), Condenser)
    assert build(config.strategy).training.epochs > 0


@pytest.mark.parametrize("name", choices("dataset"))
def test_data_sets_name_a_function(name):
    config = composed("cl_run", f"dataset={name}")
    assert OmegaConf.select(config, "data._target_") == f"cl3d.data.{name}"
    assert config.data.num_points > 0


def test_the_budget_is_written_in_one_of_four_ways():
    assert budget(composed("cl_run")) == Budget(ppc=5)
    assert budget(composed("cl_run", "ratio=0.05")) == Budget(ratio=0.05)
    assert budget(composed("cl_run", "budget=614400")) == Budget(nbytes=614400)
    assert budget(composed("cl_run", "total=614400")) == Budget(total=614400)
    with pytest.raises(InputError, match="budget=5 and total=7 are given together: give one of them"):
        budget(composed("cl_run", "budget=5", "total=7"))
    with pytest.raises(InputError, match="no budget is given: give one of ppc, ratio, budget, total"):
        budget(composed("cl_run", "ppc=null"))
    with pytest.raises(InputError, match="total=many: give a number"):
        budget(composed("cl_run", "total=many"))


def test_configs_stand_beside_the_package():
    assert (Path(__file__).parents[1] / "configs").samefile(CONFIGS)


@pytest.mark.parametrize("name", choices("benchmark"))
def test_benchmarks_compose_and_have_their_orders(name):
    config = composed("cl_run", f"benchmark={name}")
    assert config.steps == int(name.rsplit("_", 1)[1])
    assert config.class_order is None or order_file(config.class_order).is_file()
    assert composed("cl_run", f"benchmark={name}", "steps=3").steps == 3
