"""python -m gazepose.ensembling."""

from gazepose.ensembling.combining import main

main()
