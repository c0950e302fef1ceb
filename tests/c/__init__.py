"""Tests of the model of C."""
