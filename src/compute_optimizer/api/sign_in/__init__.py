"""Signing in with an AWS identity: a presigned GetCallerIdentity against short-lived credentials.

    presigned -> (strict checks) -> sts -> answers -> model.sign_in (rules) -> store.sessions

STS is asked by this server, with its own name in a header that the signature covers, so that what
was signed for another server says nothing here.
"""
