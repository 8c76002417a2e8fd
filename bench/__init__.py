"""What Afterword costs, measured beside others that do the same work in the same run: `make bench`.

A row is one question (`rows/`), a server is one that answers (`servers.py`: ours and its peers), `crowd.c` reads
along, `author.py` and `poster.py` write, `desk.py` moderates. Servers and their stores run on one core, the load on
another.
"""
