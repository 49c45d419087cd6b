// Sessions of @modelcontextprotocol/sdk 1.x, which ends at revision 2025-11-25.

import { info, require, run } from "./session.mjs";

const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require(
  "@modelcontextprotocol/sdk/client/streamableHttp.js",
);

await run(StreamableHTTPClientTransport, (_mode, options) => {
  const client = new Client(info, options);
  return {
    client,
    callTool: (name, args, how) => client.callTool({ name, arguments: args }, undefined, how),
    revision: () => client.transport.protocolVersion,
  };
});
