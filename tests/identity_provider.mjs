// A certified OpenID Connect provider with the people and keys of a test: node identity_provider.mjs
// LIBRARY, with its set-up as JSON on standard input. Says where it listens, and goes on until killed.
import { readFileSync } from "node:fs";
import { lookup } from "node:dns";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { default: Provider } = await import(pathToFileURL(process.argv[2]));
const setUp = JSON.parse(readFileSync(0, "utf8"));

const server = createServer().listen(setUp.port, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: setUp.clients,
    jwks: setUp.jwks,
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username", "groups"] },
    // Where it is false the ID token has all claims; otherwise UserInfo has them.
    conformIdTokenClaims: setUp.thin,
    cookies: { keys: ["of the test"] },
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    findAccount: (context, id) =>
      setUp.people[id] && { accountId: id, claims: () => ({ sub: id, ...setUp.people[id] }) },
    // Whom it tells that somebody signed out is on this machine, whatever it is called.
    httpOptions: () => ({
      dnsLookup: (name, options, done) => lookup("127.0.0.1", options, done),
      signal: AbortSignal.timeout(30_000),
    }),
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
  server.on("request", provider.callback());
  provider.on("backchannel.error", (context, error) => console.log(`not told: ${error}`));
  console.log(`listening at ${issuer}`);
});
