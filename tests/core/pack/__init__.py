"""Tests of core/pack."""
