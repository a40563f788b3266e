"""A campaign of random cases against torch: `python -m tests.campaign --cases 100000`.

A case is a call of the library, drawn from a seed and its own number alone: `draws.py` draws
it, `cases.py` says what it is, `judgement.py` runs it in both libraries and judges what came
out, and `differences.py` names what differs on purpose, row by row of the README's table.
The suite runs some cases; by hand there is time for more.
"""
