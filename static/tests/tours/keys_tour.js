import { registry } from "@web/core/registry";

const row = (name) => `.o_data_row:has(td[name=name]:contains(${name}))`;

registry.category("web_tour.tours").add("odoo_dev_mcp_keys", {
    url: "/odoo/action-odoo_dev_mcp.mcp_api_key_action",
    steps: () => [
        {
            content: "A key that expires soon stands out",
            trigger: `${row("Ending")}.text-warning`,
        },
        {
            content: "One without calls has no last use",
            trigger: `${row("Lasting")} td[name=last_use]:empty`,
        },
        {
            content: "Suspend it",
            trigger: `${row("Lasting")} button[name=action_suspend]`,
            run: "click",
        },
        {
            content: "It says so",
            trigger: `${row("Lasting")} td[name=state]:contains(Suspended)`,
        },
        {
            content: "Resume it",
            trigger: `${row("Lasting")} button[name=action_resume]`,
            run: "click",
        },
        {
            content: "It is active again",
            trigger: `${row("Lasting")} td[name=state]:contains(Active)`,
        },
        {
            content: "Open the filters",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            content: "Those that expire soon",
            trigger: ".o_filter_menu .o-dropdown-item:contains(Expires Soon)",
            run: "click",
        },
        {
            content: "The lasting one has gone",
            trigger: `.o_list_view:not(:has(${row("Lasting")})) ${row("Ending")}`,
        },
        {
            content: "Rotate the key",
            trigger: `${row("Ending")} button[name=action_rotate]`,
            run: "click",
        },
        {
            content: "Yes",
            trigger: ".modal footer .btn-primary",
            run: "click",
        },
        {
            content: "Odoo asks for the password",
            trigger: ".modal [name=password] input",
            run: "edit mcp_rotating",
        },
        {
            content: "Give it",
            trigger: ".modal button:contains(Confirm Password)",
            run: "click",
        },
        {
            content: "The new key is shown",
            trigger: ".modal [name=key] span:contains(odoo_mcp_)",
        },
        {
            content: "Done",
            trigger: ".modal footer button:contains(Done)",
            run: "click",
        },
        {
            content: "Open the keys again",
            trigger: "body:not(:has(.modal)) [data-menu-xmlid='odoo_dev_mcp.mcp_api_key_menu']",
            run: "click",
        },
        {
            content: "The old one is revoked, the new one takes its place",
            trigger: `.o_list_view:has(${row("Ending")} td[name=state]:contains(Revoked)):has(${row("Ending")} td[name=state]:contains(Active))`,
        },
        {
            content: "Connect a client from the list",
            trigger: ".o_control_panel button:contains(Connect a Client)",
            run: "click",
        },
        {
            content: "The dialog opens",
            trigger: ".modal button[name=generate_key]",
        },
    ],
});
