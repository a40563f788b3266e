"""The maths: pure functions of arrays, without checks and without modules."""
