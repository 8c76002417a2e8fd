"""Who may do what, and how often, without knowing who."""
