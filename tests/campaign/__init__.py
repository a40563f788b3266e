"""A campaign of random cases against torch: `python -m tests.campaign --cases 100000`.

A case is a call of the library that a seed and the case's index determine: `draws.py` draws
it, `cases.py` defines it, `judgement.py` runs it in both libraries and compares the results,
and `differences.py` names what differs on purpose, by the rows of the user guide's tables. The
suite runs some cases, with `--deep` more.
"""
