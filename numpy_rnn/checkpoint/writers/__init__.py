"""The formats that `numpy_rnn.save` writes, one module each.

Each has ``write(arrays, file)``: `arrays` are by name, `file` is new, empty and seekable.
"""
