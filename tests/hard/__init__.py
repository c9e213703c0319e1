"""The promises of docs/hard-to-break.md, each tried at any size.

``python -m tests.hard kills`` tries one in full and prints its figure; ``tests/hard/test_kills.py``
tries a slice of it in every run.
"""

import sys
from pathlib import Path

# the tests import each other and their oracles by name, as pytest lets them
TESTS = str(Path(__file__).parent.parent)
if TESTS not in sys.path:
    sys.path.insert(0, TESTS)
