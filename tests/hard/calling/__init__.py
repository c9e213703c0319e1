"""What tests/hard/calls.py is made of.

``world`` has the relations, good ones and ones with something wrong; ``values`` the literals;
``generating`` draws calls; ``judging`` says what came of them; ``worker`` makes them.
"""
