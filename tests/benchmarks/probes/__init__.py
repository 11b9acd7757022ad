"""Probes: what this project and its peers can do, found out by doing it. `features` holds the table."""
