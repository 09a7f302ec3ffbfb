"""Signing in to the console by OpenID Connect: authorization code flow with PKCE.

    begin:  provider (discovery) -> exchange (address) -> waiting (a sealed cookie)
    finish: waiting -> exchange (code for tokens) -> tokens (checked by the provider's keys)
            -> model.openid (rules) -> sessions

`desk` is what the pages call. Its modules load Authlib and joserfc, so `app` imports them only
where a provider is set up.
"""
