"""What fuzzing found, one file a finding: the input that failed, and a line on what was wrong.

`tests/fuzz/test_regressions.py` runs every `test_…` in here. They need not hypothesis: the inputs are written out.
"""
