"""python -m gazepose.submission."""

import sys

from gazepose.submission.writing import main

sys.exit(main())
