"""Journeys through the running app in a real browser."""
