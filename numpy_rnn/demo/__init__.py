"""The demo: a name classifier that torch trained, on NumPy alone (``numpy-rnn demo``)."""
