"""What to cite: the papers that the presets come from, under the names that docstrings use."""

from __future__ import annotations

from cl3d.errors import InputError

PAPERS = {
    "Herding": "M. Welling. Herding dynamical weights to learn. ICML 2009.",
    "K-center": (
        "O. Sener, S. Savarese. Active learning for convolutional neural networks: a core-set approach. "
        "ICLR 2018."
    ),
    "DC": "B. Zhao, K. R. Mopuri, H. Bilen. Dataset condensation with gradient matching. ICLR 2021.",
    "DM": "B. Zhao, H. Bilen. Dataset condensation with distribution matching. WACV 2023.",
    "MTT": (
        "G. Cazenavette, T. Wang, A. Torralba, A. A. Efros, J.-Y. Zhu. Dataset distillation by matching "
        "training trajectories. CVPR 2022."
    ),
    "PCC": (
        "W. Zhang, Z. Wang, L. Xu, X. Yang, J. Liu. Informative point cloud dataset extraction for "
        "classification via gradient-based points moving. ACM Multimedia 2024."
    ),
    "SADM": (
        "J.-Y. Yim, D. Kim, J.-Y. Sim. Dataset distillation of 3D point clouds via distribution matching. "
        "arXiv 2503.22154, 2025."
    ),
    "DD3D": "D. Bo, X. Wang. Point cloud dataset distillation. ICML 2025.",
    "Reservoir": "J. S. Vitter. Random sampling with a reservoir. ACM Trans. Math. Softw. 11(1), 1985.",
    "CBRS": "A. Chrysakis, M.-F. Moens. Online continual learning from imbalanced data. ICML 2020.",
    "Spectral": (
        "H. Resani, B. Nasihatkon, M. Alimoradi Jazi. Continual learning in 3D point clouds: employing "
        "spectral techniques for exemplar selection. WACV 2025 (arXiv 2409.08388)."
    ),
    "MIRACLE3D": (
        "H. Resani, B. Nasihatkon. MIRACLE3D: memory-efficient integrated robust approach for continual "
        "learning on point clouds via shape model construction. arXiv 2410.06418, 2024."
    ),
    "Morphing": (
        "Parameterization-based dataset distillation of 3D point clouds through learnable shape morphing. "
        "Anonymous submission, 2025."
    ),
}
"""References by the name that stands in docstrings, as in "(PCC, eq. 18)"."""

_OF_PRESET = {
    "random": (),
    "herding": ("Herding", "PCC"),
    "k_center": ("K-center",),
    "dc": ("DC",),
    "dm": ("DM",),
    "mtt": ("MTT",),
    "pcc": ("PCC", "DC"),
    "sadm": ("SADM",),
    "dd3d": ("DD3D", "DM"),
    "dd3d_paper": ("DD3D",),
    "morphing": ("Morphing", "SADM"),
    "random_coarse": (),
    "herding_coarse": ("Herding", "PCC"),
    "coarse": ("DM",),
    "spectral": ("Spectral",),
    "shape_model": ("MIRACLE3D",),
    "reservoir": ("Reservoir",),
    "balanced_reservoir": ("CBRS",),
}


def citation(preset: str) -> str:
    """The papers behind a preset, one a line; nothing for random picks.

    Raises:
        InputError: if there is no preset of that name.
    """
    name = preset if preset in _OF_PRESET else preset.removesuffix("_paper")
    if name not in _OF_PRESET:
        raise InputError(f"there is no preset {preset!r}: give one of {', '.join(_OF_PRESET)}")
    return "\n".join(PAPERS[paper] for paper in _OF_PRESET[name])
