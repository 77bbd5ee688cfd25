"""The kinds of tables that evidence is made of; metrics of one's own may use them.

=================  ==============  =====================================================
kind               task            holds
=================  ==============  =====================================================
``LABELS``         classification  counts of true × predicted labels
``LABEL_PAIRS``    classification  counts of true × both models' labels (a baseline)
``SCORES``         classification  scores of positives and negatives (probabilities)
``LOSSES``         classification  moments of log loss and Brier score (probabilities)
``CALIBRATION``    classification  promised and kept by bins of probability
``LABEL_ROWS``     classification  the rows themselves; not stored
``ERRORS``         regression      moments of errors and of the target
``NUMBER_ROWS``    regression      the rows themselves; not stored
``PROFILE``        both            how the values of each column are distributed
=================  ==============  =====================================================
"""

from __future__ import annotations

from typing import Mapping

from pytest_mlops.core.metrics import TableKind, Task
from pytest_mlops.evidence.tables.calibration import CalibrationBins
from pytest_mlops.evidence.tables.counts import LabelCounts
from pytest_mlops.evidence.tables.errors import error_table, paired_error_table
from pytest_mlops.evidence.tables.features import FeatureTable
from pytest_mlops.evidence.tables.kept import KeptRows
from pytest_mlops.evidence.tables.loss_tables import LossTable, PairedLossTable
from pytest_mlops.evidence.tables.losses import loss_table, paired_loss_table
from pytest_mlops.evidence.tables.pairs import LabelPairs
from pytest_mlops.evidence.tables.score_pairs import ScorePairs
from pytest_mlops.evidence.tables.scores import ScoreTable

LABEL_PAIRS = TableKind(
    name="labels",
    task=Task.CLASSIFICATION,
    build=LabelPairs.of,
    from_json=LabelPairs.from_json,
    split=LabelPairs.split,
)
LABELS = TableKind(
    name="labels",
    task=Task.CLASSIFICATION,
    build=LabelCounts.of,
    from_json=LabelCounts.from_json,
    pair=LABEL_PAIRS,
    split=LabelCounts.split,
)
SCORES = TableKind(
    name="scores",
    task=Task.CLASSIFICATION,
    build=ScoreTable.of,
    from_json=ScoreTable.from_json,
    needs_probabilities=True,
    inline=False,
    split=ScoreTable.split,
    pair=TableKind(
        name="paired/scores",
        task=Task.CLASSIFICATION,
        build=ScorePairs.of,
        from_json=ScorePairs.from_json,
        needs_probabilities=True,
        inline=False,
        split=ScorePairs.split,
    ),
)
LOSSES = TableKind(
    name="losses",
    task=Task.CLASSIFICATION,
    build=loss_table,
    from_json=LossTable.from_json,
    needs_probabilities=True,
    pair=TableKind(
        name="paired/losses",
        task=Task.CLASSIFICATION,
        build=paired_loss_table,
        from_json=PairedLossTable.from_json,
        needs_probabilities=True,
    ),
)
ERRORS = TableKind(
    name="errors",
    task=Task.REGRESSION,
    build=error_table,
    from_json=LossTable.from_json,
    pair=TableKind(
        name="paired/errors",
        task=Task.REGRESSION,
        build=paired_error_table,
        from_json=PairedLossTable.from_json,
    ),
)
CALIBRATION = TableKind(
    name="calibration",
    task=Task.CLASSIFICATION,
    build=CalibrationBins.of,
    from_json=CalibrationBins.from_json,
    needs_probabilities=True,
)
LABEL_ROWS = TableKind(
    name="label_rows",
    task=Task.CLASSIFICATION,
    build=KeptRows.of,
    from_json=KeptRows.from_json,
    recomputable=False,
)
NUMBER_ROWS = TableKind(
    name="number_rows",
    task=Task.REGRESSION,
    build=KeptRows.of,
    from_json=KeptRows.from_json,
    recomputable=False,
)
#: Of drift, which judges no model and so no task; its rows are columns by name.
PROFILE = TableKind(
    name="profile",
    task=Task.CLASSIFICATION,
    build=lambda values: FeatureTable.of(*values),
    from_json=FeatureTable.from_json,
    inline=False,
)

#: The built-in kinds by name.
KINDS: Mapping[str, TableKind] = {
    kind.name: kind
    for kind in (
        LABELS,
        SCORES,
        LOSSES,
        CALIBRATION,
        ERRORS,
        LABEL_ROWS,
        NUMBER_ROWS,
        PROFILE,
    )
}
