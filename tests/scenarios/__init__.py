"""Tests that cross folders: what users do with several parts at the same time."""
