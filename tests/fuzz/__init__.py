"""Fuzzing: what is true of whatever a client sends, an app answers, or a file holds.

The suite tries each property a few dozen times. `python -m tests.fuzz [names] --minutes 10` tries the same properties
as often as the time allows, each round from a fresh seed, and prints what was tried and what was found. What was
found and mended lies in `regressions/` with the very input, and runs always.
"""
