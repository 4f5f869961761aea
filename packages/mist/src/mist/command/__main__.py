"""`python -m mist.command`: the mist command."""

from mist.command import main

main()
