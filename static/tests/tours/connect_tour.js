import { queryFirst, queryText } from "@odoo/hoot-dom";
import { registry } from "@web/core/registry";

/** What a client of MCP 2025-06-18 sends to call a tool, with the key that the page shows. */
async function callWith(key) {
    const response = await fetch("/mcp/v1", {
        method: "POST",
        headers: {
            Authorization: `Bearer ${key}`,
            "Content-Type": "application/json",
            Accept: "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-06-18",
        },
        body: JSON.stringify({
            jsonrpc: "2.0",
            id: 1,
            method: "tools/call",
            params: { name: "list_modules", arguments: { limit: 1 } },
        }),
    });
    const { result } = await response.json();
    if (!result || result.isError) {
        console.error(`the key of the page does not work: ${response.status}`);
    }
}

registry.category("web_tour.tours").add("odoo_dev_mcp_connect", {
    url: "/odoo/action-odoo_dev_mcp.mcp_api_key_action",
    steps: () => [
        {
            content: "Without a key the list tells the next step",
            trigger: ".o_nocontent_help a:contains(Connect a Client)",
        },
        {
            content: "Open the user menu",
            trigger: ".o_user_menu .dropdown-toggle",
            run: "click",
        },
        {
            content: "Open the preferences",
            trigger: "[data-menu=settings], [data-menu=preferences]",
            run: "click",
        },
        {
            content: "Open the page MCP Server",
            trigger: "a[role=tab]:contains(MCP Server)",
            run: "click",
        },
        {
            content: "Connect a client",
            trigger: ".o_form_view button:contains(Connect a Client)",
            run: "click",
        },
        {
            content: "The key is named after the client",
            trigger: ".modal [name=name] input:value(Claude Code)",
        },
        {
            content: "Choose Cursor",
            trigger: ".modal [name=client] input[data-value=cursor]",
            run: "click",
        },
        {
            content: "The name follows",
            trigger: ".modal [name=name] input:value(Cursor)",
        },
        {
            content: "Create the key",
            trigger: ".modal button[name=generate_key]",
            run: "click",
        },
        {
            content: "Odoo asks for the password",
            trigger: ".modal [name=password] input",
            run: "edit mcp_connecting",
        },
        {
            content: "Give it",
            trigger: ".modal button:contains(Confirm Password)",
            run: "click",
        },
        {
            content: "The page says which file it is for",
            trigger: ".modal [name=place]:contains(~/.cursor/mcp.json)",
        },
        {
            content: "The line waits for a call",
            trigger: ".modal [aria-live=polite]:contains(Waiting for the first call)",
        },
        {
            content: "The snippet is shown, and its key works",
            trigger: ".modal div[name=snippet]:contains(mcpServers)",
            run: async () => {
                const { odoo } = JSON.parse(
                    queryText(".modal div[name=snippet].o_field_text")
                ).mcpServers;
                await callWith(odoo.headers.Authorization.replace("Bearer ", ""));
            },
        },
        {
            content: "The line tells of the call by itself",
            trigger: ".modal [aria-live=polite]:contains(/Connected: .* called list_modules at/)",
        },
        {
            content: "Another client, with the same key",
            trigger: ".modal [name=client] input[data-value=claude_code]",
            run: "click",
        },
        {
            content: "Its command takes the place of the file",
            trigger: ".modal div[name=snippet]:contains(claude mcp add --transport http)",
            run: () => {
                const key = queryFirst(".modal [name=key] span").textContent;
                const command = queryText(".modal div[name=snippet].o_field_text");
                if (!command.includes(`"Authorization: Bearer ${key}"`)) {
                    console.error("the command has another key");
                }
            },
        },
        {
            content: "Done",
            trigger: ".modal footer button:contains(Done)",
            run: "click",
        },
        {
            content: "Nothing is left of the dialog",
            trigger: "body:not(:has(.modal))",
        },
    ],
});
