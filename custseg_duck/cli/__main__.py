"""``python -m custseg_duck.cli`` is the command."""

from custseg_duck.cli import main

main(prog_name="custseg-duck")
