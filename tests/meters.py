"""What libraries that the product does without measure in a sound.

They are imported where they are called: each process that collects the tests would load
``scipy.signal``, for a second or more.
"""

from __future__ import annotations

import numpy as np

from dubbing.media.samples import Samples


def loudness(samples: Samples, rate: int) -> float:
    """Return the integrated loudness in LUFS of float32 ``(n,)`` or ``(n, channels)``."""
    from pyloudnorm import Meter

    return float(Meter(rate).integrated_loudness(samples))


def true_peak(samples: Samples) -> float:
    """Return the peak between the samples, in dBTP."""
    from scipy.signal import resample_poly

    return float(20 * np.log10(np.abs(resample_poly(samples, 8, 1, axis=0)).max()))
