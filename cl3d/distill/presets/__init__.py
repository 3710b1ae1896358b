"""The methods of the papers as compositions: ``presets.pcc()``, ``presets.pcc_paper()``, ...

The same compositions stand in ``configs/condenser/`` for the command line.
"""

from cl3d.distill.presets.citations import PAPERS, citation
from cl3d.distill.presets.memories import balanced_reservoir, reservoir, shape_model, spectral
from cl3d.distill.presets.papers import (
    dc_paper,
    dd3d_paper,
    dm_paper,
    morphing_paper,
    mtt_paper,
    pcc_paper,
    sadm_paper,
)
from cl3d.distill.presets.working import (
    coarse,
    dc,
    dd3d,
    dm,
    herding,
    herding_coarse,
    k_center,
    morphing,
    mtt,
    pcc,
    random,
    random_coarse,
    sadm,
)

__all__ = [
    "PAPERS",
    "balanced_reservoir",
    "citation",
    "coarse",
    "dc",
    "dc_paper",
    "dd3d",
    "dd3d_paper",
    "dm",
    "dm_paper",
    "herding",
    "herding_coarse",
    "k_center",
    "morphing",
    "morphing_paper",
    "mtt",
    "mtt_paper",
    "pcc",
    "pcc_paper",
    "random",
    "random_coarse",
    "reservoir",
    "sadm",
    "sadm_paper",
    "shape_model",
    "spectral",
]
