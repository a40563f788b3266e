"""The commands of ``numpy-rnn``, a module for each, which is imported when it is called.

A module has ``DESCRIPTION`` and ``EXAMPLES`` for the help, ``configure(parser)``, which adds
the command's arguments, and ``run(options)``, which does the work and returns the exit code.
"""
