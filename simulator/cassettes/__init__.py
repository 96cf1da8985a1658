"""Cassettes: paid calls as they were answered, kept by what was asked, so that the same question is paid for once."""
