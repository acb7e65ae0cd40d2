"""What does `python -m vastflow` do? What the command `vastflow` does."""

from vastflow.cli import main

if __name__ == "__main__":
    main()
