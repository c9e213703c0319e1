"""The promises of docs/hard-to-break.md, each tried at any size.

``python -m tests.hard kills`` tries one in full and prints its figure; ``tests/hard/test_kills.py``
tries a slice of it in every run.
"""
