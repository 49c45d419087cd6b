// Sessions of @modelcontextprotocol/sdk 1.x, which ends at revision 2025-11-25.

import { answers, capabilities, info, require, run } from "./session.mjs";

const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require(
  "@modelcontextprotocol/sdk/client/streamableHttp.js",
);
const { CreateMessageRequestSchema, ElicitRequestSchema } = require(
  "@modelcontextprotocol/sdk/types.js",
);

await run(StreamableHTTPClientTransport, (_mode, options) => {
  const client = new Client(info, { ...options, capabilities });
  client.setRequestHandler(ElicitRequestSchema, answers.elicit);
  client.setRequestHandler(CreateMessageRequestSchema, answers.sample);
  return {
    client,
    callTool: (name, args, how) => client.callTool({ name, arguments: args }, undefined, how),
    revision: () => client.transport.protocolVersion,
  };
});
