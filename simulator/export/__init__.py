"""Exports of a session to other tools' formats; one file per format."""
