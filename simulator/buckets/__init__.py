"""Runs at URLs: folders of object storage and of other machines, whatever fsspec opens."""
