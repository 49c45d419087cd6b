// Sessions of @modelcontextprotocol/client 2.x; the arguments are its modes.

import { answers, capabilities, info, require, run } from "./session.mjs";

const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

await run(StreamableHTTPClientTransport, (mode, options) => {
  const versionNegotiation = { mode };
  const client = new Client(info, { ...options, capabilities, versionNegotiation });
  client.setRequestHandler("elicitation/create", answers.elicit);
  client.setRequestHandler("sampling/createMessage", answers.sample);
  return {
    client,
    callTool: (name, args, how) => client.callTool({ name, arguments: args }, how),
    revision: () => client.getNegotiatedProtocolVersion(),
  };
});
