import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { fieldsOf, fieldsOfPrompt, fieldsOfTemplate, valueOf } from "./fields";

const ENDPOINT = "/mcp/v1/session";
const REVISION = "2025-11-25";

/** Sends an MCP request as the user who is logged in, and returns its result. */
async function send(id, method, params) {
    const response = await browser.fetch(ENDPOINT, {
        method: "POST",
        headers: {
            "Content-Type": "application/json",
            Accept: "application/json",
            "MCP-Protocol-Version": REVISION,
        },
        body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
    });
    const answer = await response.json();
    if (answer.error) {
        throw new Error(answer.error.message);
    }
    return answer.result;
}

const KINDS = {
    "mcp.tool": {
        lists: [["tools/list", "tools"]],
        nameOf: (row) => row.name,
        fields: (row) => fieldsOf(row.inputSchema),
        request: (row, given) => ["tools/call", { name: row.name, arguments: given }],
    },
    "mcp.prompt": {
        lists: [["prompts/list", "prompts"]],
        nameOf: (row) => row.name,
        fields: fieldsOfPrompt,
        request: (row, given) => ["prompts/get", { name: row.name, arguments: given }],
    },
    "mcp.resource": {
        lists: [
            ["resources/list", "resources"],
            ["resources/templates/list", "resourceTemplates"],
        ],
        nameOf: (row) => row.uri || row.uriTemplate,
        fields: (row) => fieldsOfTemplate(row.uriTemplate || ""),
        request: (row, given) => {
            const expand = (_whole, name) => encodeURIComponent(given[name]);
            const uri = row.uri || row.uriTemplate.replace(/\{(\w+)\}/g, expand);
            return ["resources/read", { uri }];
        },
    },
};

/** Tries a tool, a prompt or a resource out, as the user who looks at it: a client in the browser. */
export class TryIt extends Component {
    static template = "odoo_dev_mcp.TryIt";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        const { kind, name } = this.props.action.params;
        this.kind = KINDS[kind];
        this.name = name;
        this.state = useState({ row: null, fields: [], values: {}, fault: "", running: false, outcome: null, entry: null });
        onWillStart(() => this.find());
        const outcome = useRef("outcome");
        useEffect(
            (shown) => {
                if (shown) {
                    outcome.el.scrollIntoView({ block: "nearest" });
                }
            },
            () => [this.state.outcome]
        );
    }

    /** Finds what is tried among what the user may use. */
    async find() {
        try {
            for (const [method, key] of this.kind.lists) {
                const rows = (await send(1, method, {}))[key];
                const row = rows.find((one) => this.kind.nameOf(one) === this.name);
                if (row) {
                    this.state.row = row;
                    this.state.fields = this.kind.fields(row);
                    return;
                }
            }
            this.state.fault = _t("%s is switched off, or not yours to use: ask an administrator.", this.name);
        } catch (error) {
            this.state.fault = error.message;
        }
    }

    /** The arguments as they are sent; undefined: one of them cannot be. */
    given() {
        const given = {};
        for (const field of this.state.fields) {
            try {
                const value = valueOf(field, this.state.values[field.name]);
                if (value !== undefined) {
                    given[field.name] = value;
                }
            } catch {
                this.state.fault = _t("%s: write JSON, e.g. [1, 2] or {\"a\": true}.", field.name);
                return undefined;
            }
        }
        return given;
    }

    async run() {
        this.state.fault = "";
        const given = this.given();
        if (!given) {
            return;
        }
        this.state.running = true;
        this.state.outcome = null;
        this.state.entry = null;
        const id = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
        const began = performance.now();
        try {
            const result = await send(id, ...this.kind.request(this.state.row, given));
            this.state.outcome = { ...shown(result), milliseconds: Math.round(performance.now() - began) };
        } catch (error) {
            this.state.fault = error.message;
        }
        this.state.running = false;
        await this.findEntry(id);
    }

    /** Finds the audit entry of the call: ids of requests are our own. */
    async findEntry(id) {
        const domain = [["request_id", "=", JSON.stringify(id)]];
        const [entry] = await this.orm.search("mcp.audit.log", domain, { limit: 1, order: "id desc" });
        this.state.entry = entry;
    }

    openEntry() {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "mcp.audit.log",
            res_id: this.state.entry,
            views: [[false, "form"]],
        });
    }
}

/** A result as parts to show: text, images, and whether it is an error. */
function shown(result) {
    if (result.structuredContent) {
        return { failed: Boolean(result.isError), parts: [asText(result.structuredContent)] };
    }
    const blocks = result.content || result.contents || result.messages.map((message) => message.content);
    return { failed: Boolean(result.isError), parts: blocks.flat().map(partOf) };
}

function asText(value) {
    return { text: JSON.stringify(value, null, 2) };
}

function partOf(block) {
    if (block.type === "image") {
        return { image: `data:${block.mimeType};base64,${block.data}` };
    }
    if (block.text === undefined) {
        return asText(block);
    }
    try {
        return asText(JSON.parse(block.text));
    } catch {
        return { text: block.text };
    }
}

registry.category("actions").add("odoo_dev_mcp.try_it", TryIt);
