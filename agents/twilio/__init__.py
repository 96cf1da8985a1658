"""Twilio Media Streams: we are the telephone network, or an agent behind it."""
