"""Tests, a folder a room: the tests of `mmulbench/core/data.py` are in `tests/core/test_data.py`."""
