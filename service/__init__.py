"""Afterword: news articles, and the live, anonymous conversation below each of them."""
