"""Does the program run whose types mypy and pyright check, and fail where they find errors?"""

from __future__ import annotations

import re

import pytest

from tests.typing.mistakes import MISTAKES
from tests.typing.user_program import PROGRAM


@pytest.mark.parametrize("part", PROGRAM, ids=lambda part: part.__name__)
def test_user_program_runs(part):
    part()


@pytest.mark.parametrize("message", MISTAKES)
def test_user_program_mistake_raises(message):
    errors = (TypeError, ValueError, AttributeError, RuntimeError)
    with pytest.raises(errors, match=re.escape(message)):
        MISTAKES[message]()
