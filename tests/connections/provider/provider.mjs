// An OpenID provider with the people and the client that the environment names. Whoever signs in types an id; any password does.
import { Provider } from "oidc-provider";

const { ISSUER, PORT, CLIENT, PEOPLE } = process.env;
const people = JSON.parse(PEOPLE);

const provider = new Provider(ISSUER, {
  clients: [JSON.parse(CLIENT)],
  claims: {
    openid: ["sub", "employee"],
    email: ["email", "email_verified"],
    profile: ["name", "given_name", "family_name", "preferred_username"],
  },
  cookies: { keys: ["a key for tests"] },
  pkce: { required: () => true },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
});
provider.listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
