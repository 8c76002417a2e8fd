"""The desk: where moderators sign in, see what waits, and act. Whole without JavaScript."""
