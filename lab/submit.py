"""What ``spark-submit`` is given to start: the command line, out of the wheel that is submitted with it."""

from lab.cli import main

if __name__ == "__main__":
    main()
