"""`python -m cli` is `chaupal`."""

from cli.main import main

main()
