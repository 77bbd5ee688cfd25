"""What is right by itself and wrong together, where drift is judged."""

from __future__ import annotations

from typing import List

from pytest_mlops.core.redaction import redact
from pytest_mlops.errors import ConfigurationError, DataError, Problem
from pytest_mlops.settings.values import Options
from pytest_mlops.workflow.extensions import Extensions
from pytest_mlops.workflow.judging import Assignment
from pytest_mlops.workflow.profiles import is_profile, read_profile


def reference_words(assignment: Assignment) -> str:
    """What drift is measured from, for messages."""
    return assignment.reference or f"the profile of {assignment.model_uri}"


def drift_misfits(
    assignment: Assignment, options: Options, extensions: Extensions, source: str
) -> List[Problem]:
    """The mistakes, before a model is loaded.

    Args:
        assignment: what is to be judged.
        options: what was typed.
        extensions: who reads data.
        source: what messages call the gates file.
    """
    problems: List[Problem] = []
    file, site, uri = assignment.gates_file, assignment.site, assignment.reference
    if not file.drift:
        message = "there is no rule about drift; write one, such as psi = '<= 0.2'"
        problems.append(Problem(source, "drift", message))
    if uri is None and assignment.model_uri is None:
        message = (
            "say what drift is measured from: --reference=URI (data, or a profile "
            f"*.json), or --model-uri=models:/{file.model}@champion with a profile "
            "stored beside the model"
        )
        problems.append(Problem("command line", "", message))
    if uri is not None:
        where = "--reference" if options.reference else f"{source} [data] reference"
        try:
            if is_profile(uri):
                read_profile(uri, site.root)
            else:
                extensions.open_data(uri, site)
        except DataError as error:
            problems.append(Problem(where, "", redact(str(error))))
        except ConfigurationError as error:
            problems += [Problem(where, "", p.message) for p in error.problems]
    return problems
