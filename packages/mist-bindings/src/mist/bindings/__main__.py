"""`python -m mist.bindings` is the command `mist-bindings`."""

import sys

from mist.bindings.command import main

sys.exit(main())
