"""Filters: rules about a comment's text, which refuse it, hold it or let it pass; pure but for what asks the store."""

from service.filters.rule import rule
from service.filters.sieve import Sieve, Trial

__all__ = ["Sieve", "Trial", "rule"]
