// Sessions of @modelcontextprotocol/client 2.x; the arguments are its modes.

import { info, require, run } from "./session.mjs";

const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

await run(StreamableHTTPClientTransport, (mode, options) => {
  const client = new Client(info, { ...options, versionNegotiation: { mode } });
  return {
    client,
    callTool: (name, args, how) => client.callTool({ name, arguments: args }, how),
    revision: () => client.getNegotiatedProtocolVersion(),
  };
});
