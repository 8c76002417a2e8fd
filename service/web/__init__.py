"""What the outside sees: pages, the comments' HTTP interface, live connections, health."""
