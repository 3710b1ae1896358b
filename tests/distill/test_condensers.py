"""Every preset keeps the contract; the loop does what it says."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.distill import (
    SGD,
    Adam,
    Anchors,
    Budget,
    Condenser,
    DistributionMatching,
    Diverged,
    Experts,
    Fresh,
    Generator,
    GradientMatching,
    Herding,
    KCenter,
    Points,
    Random,
    ShapeModel,
    SortedFeatureMatching,
    Spectral,
    Trained,
    Training,
    TrajectoryMatching,
    TurnedPoints,
    distill,
    load,
    presets,
    save,
)
from cl3d.errors import InputError
from cl3d.models import PointNet, PointNetSegmentation
from cl3d.testing.condensers import blobs, check_condenser

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
QUICK = Training(epochs=2, batch_size=8)
INITIALIZERS = {
    "random": Random(),
    "herding": Herding(QUICK),
    "k_center": KCenter(QUICK),
    "spectral": Spectral(),
}
OBJECTIVES = {
    "none": None,
    "dm": DistributionMatching(),
    "sadm": SortedFeatureMatching(),
    "sadm_squared": SortedFeatureMatching("squared", beta=0),
    **{name: GradientMatching(name) for name in ("layer_cosine", "row_cosine", "mse")},
}
PARAMETERIZATIONS = {
    "points": Points(),
    "coarse_points": Points(num_points=5, storage="uint8"),
    "turned_points": TurnedPoints(storage="float16"),
    "anchors": Anchors(anchors=2, blends=2),
    "generator": Generator(),
    "shape_model": ShapeModel(clouds=5, samples=2),
}
SURROGATES = {"fresh": Fresh(), "trained": Trained(inner=2, training=QUICK)}


SEGMENTING = partial(
    PointNetSegmentation, num_parts=9, channels=(5, 11), hidden=(7,), transforms=False, dropout=0.0
)

PRESETS = [
    *("random", "herding", "k_center", "dc", "pcc", "dm", "mtt", "sadm", "dd3d", "morphing"),
    *("random_coarse", "herding_coarse", "coarse", "spectral", "shape_model"),
    *("reservoir", "balanced_reservoir"),
]


def small_preset(name):
    preset = getattr(presets, name)()
    small = {
        "dd3d": {"fit_iterations": 2},
        "morphing": {"anchors": 2, "blends": 2},
        "random_coarse": {"num_points": 5},
        "herding_coarse": {"num_points": 5},
        "coarse": {"num_points": 5},
        "shape_model": {"num_points": 5, "clouds": 4, "samples": 3},
    }
    stored = replace(preset.parameterization, **small.get(name, {}))
    real_points = None if preset.real_points is None else 5
    changes = {"iterations": min(preset.iterations, 2), "real_points": real_points}
    return replace(preset, parameterization=stored, **changes)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_the_contract(name):
    draws, every_class = name != "spectral", name != "reservoir"
    check_condenser(small_preset(name), SMALL, draws=draws, every_class=every_class)


ONLY_CLASSES = {"mtt", "shape_model", "reservoir", "balanced_reservoir"}


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("name", [name for name in PRESETS if name not in ONLY_CLASSES])
def test_presets_keep_the_contract_where_parts_are_segmented(name):
    check_condenser(small_preset(name), SEGMENTING, draws=name != "spectral")


@pytest.mark.parametrize("name", sorted(ONLY_CLASSES))
def test_what_knows_nothing_of_parts_refuses_networks_that_segment(name):
    with pytest.raises(InputError, match=r"knows nothing of parts|without their parts"):
        small_preset(name)(blobs(), budget=Budget(total=10**4), model=SEGMENTING)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("surrogates", SURROGATES)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("parameterization", PARAMETERIZATIONS)
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_everything_recombines(initializer, parameterization, objective, surrogates):
    compose = partial(
        Condenser,
        initializer=INITIALIZERS[initializer],
        parameterization=PARAMETERIZATIONS[parameterization],
        objective=OBJECTIVES[objective],
        surrogates=SURROGATES[surrogates],
        iterations=2,
        real_batch=3,
    )
    if (parameterization, objective) == ("generator", "none"):
        with pytest.raises(InputError, match="give an objective, or fit_iterations"):
            compose()
        return
    condenser = compose()
    synthetic = condenser(blobs(), budget=Budget(ppc=2), model=SMALL)
    assert torch.isfinite(synthetic.decode().points).all()
    moved = synthetic.info.get("moved_mean", 0.0)
    assert (moved > 0) == (OBJECTIVES[objective] is not None)


EXPERTS = Experts(experts=2, training=QUICK, folder=None)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("parameterization", PARAMETERIZATIONS)
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_trajectory_matching_recombines(initializer, parameterization):
    condenser = Condenser(
        initializer=INITIALIZERS[initializer],
        parameterization=PARAMETERIZATIONS[parameterization],
        objective=TrajectoryMatching(steps=2, batch_size=3),
        surrogates=EXPERTS,
        iterations=2,
    )
    synthetic = condenser(blobs(), budget=Budget(ppc=2), model=SMALL)
    assert torch.isfinite(synthetic.decode().points).all()
    assert synthetic.info["moved_mean"] > 0


@pytest.mark.parametrize("objective", [name for name in OBJECTIVES if name != "none"])
def test_experts_serve_every_objective(objective):
    compose = partial(Condenser, objective=OBJECTIVES[objective], iterations=2, real_batch=3)
    synthetic = compose(surrogates=EXPERTS)(blobs(), budget=Budget(ppc=2), model=SMALL)
    assert synthetic.info["moved_mean"] > 0


@pytest.mark.parametrize("surrogates", SURROGATES)
def test_trajectory_matching_without_experts_is_refused(surrogates):
    with pytest.raises(InputError, match=r"TrajectoryMatching compares .*: give surrogates=experts"):
        Condenser(objective=TrajectoryMatching(), surrogates=SURROGATES[surrogates], iterations=2)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("objective", ["dm", "sadm", "layer_cosine", "row_cosine", "mse"])
def test_the_loss_goes_down(objective, seed):
    # one network, all real clouds and small updates: larger ones make points of so small a network win
    # or lose its maxima, and its gradients jump
    condenser = Condenser(
        objective=OBJECTIVES[objective],
        surrogates=Fresh(every=10_000),
        optimizer=Adam(lr=1e-5),
        iterations=40,
        real_batch=100,
    )
    info = condenser(blobs(), budget=Budget(ppc=1), model=SMALL, seed=seed).info
    assert info["loss_last"] < info["loss_first"]


@pytest.mark.parametrize("norm", ["batch", "instance", "group", "none"])
def test_every_norm_can_be_looked_through(norm):
    condenser = replace(presets.pcc(), iterations=2, initializer=Random())
    channels = (8, 16) if norm == "group" else (5, 11)
    synthetic = condenser(blobs(), budget=Budget(ppc=1), model=partial(SMALL, norm=norm, channels=channels))
    assert torch.isfinite(synthetic.decode().points).all()


def test_a_coreset_is_a_copy_of_real_clouds():
    clouds = blobs()
    synthetic = distill(clouds, presets.random(), ppc=2, model=SMALL, device="cpu")
    for cloud, label in zip(synthetic.decode().points, synthetic.labels, strict=True):
        assert any(torch.equal(cloud, real) for real in clouds.of_class(int(label)).points)


def test_a_class_does_not_depend_on_the_others_as_far_as_draws_go():
    clouds = blobs()
    alone = distill(clouds.of_classes([5, 11]), presets.random(), ppc=2, model=SMALL, device="cpu").decode()
    together = distill(clouds, presets.random(), ppc=2, model=SMALL, device="cpu").decode()
    for label in (5, 11):
        assert torch.equal(alone.of_class(label).points, together.of_class(label).points)


@pytest.mark.parametrize("name", ["dc", "pcc", "dm"])
def test_one_class_alone_is_condensed_too(name):
    condenser = replace(getattr(presets, name)(), iterations=2)
    synthetic = distill(blobs(labels=(5,)), condenser, ppc=1, model=SMALL, device="cpu")
    assert synthetic.info["moved_mean"] > 0


@pytest.mark.parametrize("name", ["random", "pcc"])
def test_other_precisions_are_stored_as_float32(name, tmp_path):
    clouds = blobs()
    condenser = replace(getattr(presets, name)(), iterations=2 if name == "pcc" else 0)
    double = clouds.with_points(clouds.points.double())
    synthetic = distill(double, condenser, ppc=1, model=SMALL, device="cpu")
    assert synthetic.nbytes == 3 * 13 * 12
    save(synthetic, tmp_path / "set.safetensors")
    assert torch.equal(load(tmp_path / "set.safetensors").labels, synthetic.labels)


def test_dropout_does_not_reach_for_the_global_generator():
    check_condenser(replace(presets.dc(), iterations=2), partial(SMALL, dropout=0.5))


def test_an_explosion_at_the_last_update_is_refused():
    condenser = Condenser(objective=DistributionMatching(), optimizer=SGD(lr=3e38), iterations=1)
    with pytest.raises(InputError, match="lower the optimizer's learning rate"):
        condenser(blobs(), budget=Budget(ppc=1), model=SMALL)


def test_small_classes_are_used_whole_and_said_so():
    clouds = blobs(per_class=3)
    with pytest.warns(UserWarning, match="class 5 has 3 clouds, 7 are asked for"):
        synthetic = distill(clouds, presets.random(), ppc=7, model=SMALL, device="cpu")
    assert synthetic.clouds_per_class == {2: 3, 5: 3, 11: 3}


def test_a_loss_that_is_not_finite_is_refused():
    condenser = Condenser(
        objective=DistributionMatching(), optimizer=SGD(lr=1e30), iterations=50, surrogates=Fresh(every=50)
    )
    with pytest.raises(InputError, match="lower the optimizer's learning rate"):
        condenser(blobs(), budget=Budget(ppc=1), model=partial(SMALL, norm="none"))


def test_a_loss_that_is_not_finite_before_any_update_is_no_matter_of_the_learning_rate():
    class Broken(DistributionMatching):
        def compare(self, wanted, found):
            return super().compare(wanted, found) * torch.nan

    condenser = Condenser(objective=Broken(), iterations=2)
    with pytest.raises(Diverged, match="nothing has been updated yet") as refused:
        condenser(blobs(), budget=Budget(ppc=1), model=SMALL)
    picked = presets.random()(blobs(), budget=Budget(ppc=1), model=SMALL)
    assert torch.equal(refused.value.synthetic.decode().points, picked.decode().points)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"real_points": 5}, "clouds of 13 points, which SortedFeatureMatching compares with real ones of 5"),
        ({"parameterization": Generator(num_points=14)}, "clouds of 14 points, .* real ones of 13"),
        ({"parameterization": Points(num_points=2)}, "clouds of 2 points, .* give clouds of at least 3"),
        ({"parameterization": Points(num_points=14)}, "num_points=14 per stored cloud"),
    ],
)
def test_sorted_maps_refuse_resolutions_before_anything_is_trained(changes, words):
    condenser = Condenser(objective=SortedFeatureMatching(), iterations=2, initializer=Herding(QUICK))
    with pytest.raises(InputError, match=words):
        replace(condenser, **changes).plan([9, 9], 13, Budget(ppc=5))


def test_impossible_compositions_are_refused_at_construction():
    with pytest.raises(InputError, match="iterations=0"):
        Condenser(objective=DistributionMatching())
    with pytest.raises(InputError, match="layer_cosine, row_cosine, mse"):
        GradientMatching("cosine")


@pytest.mark.parametrize(
    "build",
    [
        lambda: Condenser(iterations=2.5),
        lambda: Condenser(real_batch=0),
        lambda: Fresh(every=0),
        lambda: Trained(inner=0),
        lambda: Training(epochs=-1),
        lambda: Training(batch_size=0),
        lambda: Adam(lr=-1.0),
        lambda: SGD(lr=float("nan")),
    ],
)
def test_numbers_out_of_range_are_refused_at_construction(build):
    with pytest.raises(InputError, match="give a"):
        build()


def test_real_clouds_are_looked_at_as_coarsely_as_asked_for():
    seen = []

    class Watching(DistributionMatching):
        def __call__(self, net, real, synthetic):
            seen.append(real.points.clone())
            return super().__call__(net, real, synthetic)

    condenser = Condenser(objective=Watching(), iterations=2, real_batch=3, real_points=7)
    clouds = blobs()
    condenser(clouds, budget=Budget(ppc=1), model=SMALL)
    assert {points.shape[1] for points in seen} == {7}
    known = {tuple(point) for point in clouds.points.reshape(-1, 3).tolist()}
    assert all(tuple(point) in known for points in seen for point in points.reshape(-1, 3).tolist())
    with pytest.raises(InputError, match="real_points=14, but the clouds have 13"):
        replace(condenser, real_points=14)(clouds, budget=Budget(ppc=1), model=SMALL)
