"""The pages: functions from a request and a session to a template's values."""
