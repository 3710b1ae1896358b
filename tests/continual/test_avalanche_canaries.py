"""One test per workaround: where one fails after an upgrade of avalanche, its workaround may go."""

from __future__ import annotations

from importlib.metadata import version

import pytest
import torch
from avalanche.benchmarks import class_incremental_benchmark
from avalanche.benchmarks.utils import as_classification_dataset

from cl3d.continual.benchmark import CloudDataset
from cl3d.testing.condensers import blobs


def streams(**kwargs):
    clouds = blobs(labels=tuple(range(7))).without_parts()
    return class_incremental_benchmark(
        {"train": CloudDataset(clouds), "test": CloudDataset(clouds)}, **kwargs
    )


def test_the_pinned_version_is_installed():
    assert version("avalanche-lib") == "0.6.0"


def test_num_experiences_still_drops_the_remainder():
    """Why streams are made with ``num_classes_per_exp``."""
    benchmark = streams(num_experiences=3, class_order=list(range(7)))
    assert sum(len(experience.classes_in_this_experience) for experience in benchmark.train_stream) == 6


def test_seed_still_reseeds_torch():
    """Why streams are made with ``class_order``."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    streams(num_experiences=7, seed=0)
    assert not torch.equal(before, torch.get_rng_state())


def test_public_constructors_still_leave_out_task_labels():
    """Why the buffer uses a private constructor: replay loaders mix its items with a step's."""
    item = as_classification_dataset(CloudDataset(blobs().without_parts()))[0]
    assert len(item) == 2
    assert len(streams(num_experiences=7, class_order=list(range(7))).train_stream[0].dataset[0]) == 3


def test_the_stock_loader_still_leaves_a_last_batch_of_any_size():
    """Why ``Continued`` makes its own loader."""
    from avalanche.benchmarks.utils.data_loader import TaskBalancedDataLoader

    dataset = streams(num_classes_per_exp=[7], class_order=list(range(7))).train_stream[0].dataset
    sizes = [len(batch[1]) for batch in TaskBalancedDataLoader(dataset, batch_size=17)]
    assert sizes == [17, 17, 1]


def test_strategies_still_need_a_criterion():
    """Why the README passes one."""
    from avalanche.training.supervised import LwF

    net = torch.nn.Linear(3, 3)
    with pytest.raises(TypeError, match="criterion"):
        LwF(model=net, optimizer=torch.optim.SGD(net.parameters(), 0.1), alpha=1.0, temperature=2.0)


def test_bic_still_cannot_take_clouds_out_of_an_experience():
    """Why ``docs/plug-in.md`` leaves it out; and it hands a schedule an argument that torch has dropped."""
    from avalanche.training.plugins import EvaluationPlugin
    from avalanche.training.supervised import BiC

    net = torch.nn.Linear(3, 7)
    parts = {"optimizer": torch.optim.SGD(net.parameters(), 0.1), "criterion": torch.nn.CrossEntropyLoss()}
    strategy = BiC(model=net, mem_size=70, evaluator=EvaluationPlugin(), **parts)
    first = streams(num_classes_per_exp=[7], class_order=list(range(7))).train_stream[0]
    with pytest.raises(AttributeError, match="dataset"):
        strategy.train(first, eval_streams=[])


def test_a_process_group_is_still_taken_for_avalanches_own(monkeypatch):
    """Why ``cl3d.continual.alone`` hides this library's processes."""
    from avalanche.distributed.distributed_helper import DistributedHelper

    from cl3d import distributed

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    assert DistributedHelper.is_distributed
    monkeypatch.setattr(distributed, "_place", distributed._Place(rank=1, world=2))
    assert not DistributedHelper.is_distributed
    assert DistributedHelper.is_main_process
    assert DistributedHelper.world_size == 1
