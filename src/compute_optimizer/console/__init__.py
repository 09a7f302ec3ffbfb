"""The web console: pages that a browser shows, served under /console by the same program.

    bytes -> room -> sessions (who) -> routes -> pages (values) -> templates -> bytes

Pages call the operations of the API in process, as the account that signed in.
"""
