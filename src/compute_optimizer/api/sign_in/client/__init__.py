"""The client's half of signing in, as SDKs run it: a presigned request against credentials.

The command stands here and not among the others, because whoever imports one of those loads them
all, which takes seconds, and an SDK waits for this one each time that a program starts.
"""
