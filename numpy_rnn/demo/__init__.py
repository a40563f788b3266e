"""The demo: a torch-trained name classifier on NumPy alone (``python -m numpy_rnn demo``)."""
