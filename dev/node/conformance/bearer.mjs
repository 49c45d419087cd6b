// Preloaded into the suite, which has no option for a key: every request to the server
// under test carries ours. MCP_KEY is the key, MCP_ORIGIN the server.
import { subscribe } from "node:diagnostics_channel";

const { MCP_KEY, MCP_ORIGIN } = process.env;
const host = new URL(MCP_ORIGIN).host;
const authorization = `Bearer ${MCP_KEY}`;

subscribe("undici:request:create", ({ request }) => {
  if (request.origin === MCP_ORIGIN) request.addHeader("authorization", authorization);
});
subscribe("http.client.request.created", ({ request }) => {
  if (request.getHeader("host") === host) request.setHeader("authorization", authorization);
});
