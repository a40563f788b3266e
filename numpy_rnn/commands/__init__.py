"""The commands of ``numpy-rnn``, one module each, imported when it is called.

Each has ``configure(parser)``, which says what it takes, and ``run(options)``, which does it
and returns the exit code.
"""
