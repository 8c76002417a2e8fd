"""The store: Postgres, which is the truth. All SQL stands below this folder."""
