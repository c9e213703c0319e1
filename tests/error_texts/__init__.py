"""For every message of ours a call that gets it, and all that it says.

``tests/test_error_texts.py`` tries them in a folder that ``folder.py`` fills; ``calls.py`` says how
they are written.
"""
