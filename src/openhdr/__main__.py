"""`python -m openhdr`: the command line."""

from openhdr.cli import main

if __name__ == "__main__":
    main()
