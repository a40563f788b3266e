"""The recurrence engine: what an Elman layer, an LSTM and a GRU compute, and how."""
