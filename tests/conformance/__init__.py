"""Tests of protocols, each run with everything that claims to follow it."""
