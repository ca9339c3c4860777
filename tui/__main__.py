"""`python -m tui`: the same as `inferdeck`, as the browser's pages start it."""

import sys

from tui.main import main

if __name__ == "__main__":
    sys.exit(main())
