// What every client of the TypeScript SDKs does in its sessions, told as JSON on standard
// output. Where comes in MCP_URL and MCP_KEY, what is asked in MCP_ASKED, and the
// request that changes a tool in MCP_CHANGE: see
// real_clients.py. MCP_PACKAGES is the folder that has node_modules.

import { createRequire } from "node:module";

const { MCP_ASKED, MCP_CHANGE, MCP_KEY, MCP_PACKAGES, MCP_URL } = process.env;
const asked = JSON.parse(MCP_ASKED);

export const require = createRequire(`${MCP_PACKAGES}/`);
export const info = { name: "test", version: "1" };

/**
 * Run a session in each mode that is an argument, and knock with a wrong key.
 *
 * @param makeClient gives a client of a mode: `client`, its `callTool(name, arguments,
 *   options)`, and the `revision()` that it speaks once it is connected
 */
export async function run(Transport, makeClient) {
  const connect = async (key, { client }) => {
    const requestInit = { headers: { Authorization: `Bearer ${key}` } };
    await client.connect(new Transport(new URL(MCP_URL), { requestInit }));
  };
  const told = async (mode) => {
    const { changed, listChanged } = changes();
    const own = makeClient(mode, { listChanged });
    await connect(MCP_KEY, own);
    const session = await tell(own, changed);
    await own.client.close();
    const wrong_key = await failure(connect(asked.wrong_key, makeClient(mode, {})));
    return [mode, { ...session, wrong_key }];
  };
  const all = [];
  for (const mode of process.argv.slice(2)) all.push(await told(mode));
  console.log(JSON.stringify(Object.fromEntries(all)));
}

/** What the client can be asked, and its answers. */
export const capabilities = { elicitation: {}, sampling: {} };
export const answers = {
  elicit: ({ params }) => {
    questions.push(params.message);
    return { action: "accept", content: asked.answer };
  },
  sample: ({ params }) => {
    questions.push(params.messages[0].content.text);
    const content = { type: "text", text: asked.says };
    return { role: "assistant", content, model: "test" };
  },
};
const questions = [];

/** The option `listChanged`, and what the client is told first: the tools, listed anew. */
function changes() {
  let hear;
  const changed = new Promise((resolve) => (hear = resolve));
  const onChanged = (error, tools) => hear(error ? [] : tools);
  return { changed, listChanged: { tools: { onChanged, debounceMs: 0 } } };
}

/** Have the administrator change a tool. */
async function change({ url, body }) {
  const headers = { "Content-Type": "application/json" };
  await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

async function tell({ client, callTool, revision }, changed) {
  const messages = [];
  const onprogress = ({ message }) => messages.push(message);
  const { tools } = await client.listTools();
  const rows = await callTool("query_database", asked.query);
  const refused = await callTool("query_database", asked.wrong);
  const printed = await callTool("execute_command", asked.command, { onprogress });
  const resource = await client.readResource({ uri: asked.resource });
  const unknown = await failure(callTool("no_such_tool", {}));
  const { prompts } = await client.listPrompts();
  const prompt = await client.getPrompt(asked.prompt);
  questions.length = 0;
  const told = await callTool(asked.asking, {});
  const titles = [title(tools)];
  if (client.getServerCapabilities().tools.listChanged) {
    await change(JSON.parse(MCP_CHANGE));
    titles.push(title(await changed));
  }
  return {
    revision: revision(),
    server: client.getServerVersion().name,
    tools: tools.map((tool) => tool.name),
    rows: rows.structuredContent.rows,
    refused: { is_error: refused.isError, text: refused.content[0].text },
    unknown,
    stdout: printed.structuredContent.stdout,
    progress: messages,
    resource: resource.contents[0].text,
    prompts: prompts.map((prompt) => prompt.name),
    prompt: prompt.messages[0].content.text,
    questions: [...questions],
    told: told.structuredContent.result,
    titles,
  };
}

const title = (tools) => tools.find((tool) => tool.name === asked.changing)?.title;

/** What is told of what fails. */
const failure = (doing) =>
  doing.then(
    () => null,
    (error) => error.message,
  );
