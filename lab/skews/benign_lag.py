"""A control: the live path is late, and right."""

from __future__ import annotations

import numpy as np

from contract.skew import Skew

WORST_SHARE = 0.6


class BenignLag(Skew):
    """Steps wait for the next one: answers are later, never different as of their own instant."""

    id = "benign-lag"
    title = "Control: the consumer lags"
    story = "A busy consumer takes its steps in bigger bites. Freshness suffers, parity does not: it compares as of, at a cut."
    sources = (
        "https://github.com/airbnb/chronon/blob/ab596808152b80353af8ced9f6d7f1d754f78aa1/docs/source/test_deploy_serve/Online_Offline_Consistency.md",
    )
    group = "control"
    evidence = "A"
    moves = ()
    seen_by = ()
    parameter = "share of steps that wait for the next, up to 60 %"
    value_name, worst = "share of steps that wait", WORST_SHARE
    fix = "None for parity; look at the lag"

    def holds(self, partition: int, offset: int) -> bool:
        """Hold a step by chance."""
        return bool(self.chance(partition, np.array([offset]))[0] < self.value)
