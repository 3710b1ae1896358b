"""NearestMeanEvaluation: the plugin that lets the memory classify, beside the strategy's own head."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.training.plugins import SupervisedPlugin

from cl3d.continual.buffer import CondensedBuffer
from cl3d.distill.features import Features, pooled_features
from cl3d.distill.nearest_mean import NearestMean


class NearestMeanEvaluation(SupervisedPlugin):
    """Evaluates by the nearest mean of exemplars instead of the network's head (iCaRL, arXiv 1611.07725).

    The means are taken anew at each evaluation, from the decoded memory and the strategy's network as they
    are then; nothing is stored. While ``eval`` runs, ``strategy.mb_output`` holds minus the distances, so
    that whatever metrics look at the output follow. Training is not touched. Classes that the memory does
    not have are never chosen; as long as it is empty, the head decides.

    Args:
        buffer: the memory, which another plugin or the strategy fills.
        features: what the network sees in clouds; a backbone's pooled feature unless given.

    Raises:
        InputError: at the first evaluation, if the network shows no features.
    """

    def __init__(self, buffer: CondensedBuffer, features: Features = pooled_features) -> None:
        super().__init__()
        self.buffer, self.features = buffer, features
        self._classifier: NearestMean | None = None

    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Takes the means."""
        exemplars = self.buffer.clouds()
        if exemplars:
            self._classifier = NearestMean(strategy.model, exemplars, features=self.features)

    def after_eval_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Puts scores in the place of the network's output."""
        if self._classifier is None:
            return
        scores, outputs = self._classifier(strategy.mb_x), strategy.mb_output.shape[1]
        missing = max(0, outputs - scores.shape[1])
        strategy.mb_output = torch.nn.functional.pad(scores, (0, missing), value=-torch.inf)

    def after_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Forgets the means: they belong to the weights of now."""
        self._classifier = None
