import { registry } from "@web/core/registry";

const tool = (name) => `.o_list_view td[name=tool]:contains(${name})`;

const filter = (name) => [
    { content: "Open the filters", trigger: ".o_searchview_dropdown_toggler", run: "click" },
    { content: `Choose ${name}`, trigger: `.o_filter_menu .o_menu_item:contains(${name})`, run: "click" },
    { content: "Close the filters", trigger: ".o_searchview_dropdown_toggler", run: "click" },
];

registry.category("web_tour.tours").add("odoo_dev_mcp_audit", {
    url: "/odoo/action-odoo_dev_mcp.mcp_audit_log_action",
    steps: () => [
        { content: "All calls are listed", trigger: tool("no_such_tool") },
        ...filter("Writes Only"),
        {
            content: "A call that only reads is left out",
            trigger: ".o_list_view:not(:has(td[name=tool]:contains(query_database)))",
        },
        { content: "The write is there", trigger: tool("execute_sql") },
        { content: "Show all again", trigger: ".o_facet_remove", run: "click" },
        ...filter("Today"),
        ...filter("Failed"),
        {
            content: "Open the failed call",
            trigger: ".o_list_view:not(:has(td:contains(no_such_tool))) td[name=tool]:contains(query_database)",
            run: "click",
        },
        { content: "It says why", trigger: ".o_form_view [name=message]:contains(no such table)" },
        { content: "Back to the list", trigger: ".breadcrumb-item a, .o_back_button", run: "click" },
        { content: "Draw a graph", trigger: ".o_switch_view.o_graph", run: "click" },
        { content: "It is drawn", trigger: ".o_graph_renderer canvas" },
        { content: "Make a table", trigger: ".o_switch_view.o_pivot", run: "click" },
        { content: "It has the tool", trigger: ".o_pivot th:contains(query_database)" },
    ],
});

registry.category("web_tour.tours").add("odoo_dev_mcp_audit_export", {
    url: "/odoo/action-odoo_dev_mcp.mcp_audit_log_action",
    steps: () => [
        {
            content: "Open what there is about the audit",
            trigger: "button[data-menu-xmlid='odoo_dev_mcp.audit_menu']",
            run: "click",
        },
        {
            content: "Choose the export",
            trigger: "a[data-menu-xmlid='odoo_dev_mcp.mcp_audit_log_export_menu']",
            run: "click",
        },
        { content: "It says how many entries", trigger: ".modal [name=entry_count]:contains(3)" },
        { content: "As objects", trigger: ".modal .o_radio_item:contains(JSON) input", run: "click" },
        { content: "Export", trigger: ".modal button[name=action_export]", run: "click" },
        { content: "It can be exported again", trigger: ".modal button[name=action_export]:enabled" },
    ],
});

const verify = (found) => ({
    url: "/odoo/action-odoo_dev_mcp.mcp_audit_seal_action",
    steps: () => [
        { content: "A seal is listed", trigger: ".o_list_view td[name=entry_count]:contains(2)" },
        { content: "Ask for them", trigger: ".o_control_panel button:contains(Verify Seals)", run: "click" },
        { content: "Verify", trigger: ".modal button[name=action_verify]", run: "click" },
        { content: "It tells", trigger: `.modal .alert:visible:contains(${found})` },
        { content: "Close", trigger: ".modal .modal-footer button[special=cancel]", run: "click" },
        { content: "Open the seal", trigger: ".o_list_view td[name=hash]", run: "click" },
        { content: "It names its entries", trigger: ".o_form_view [name=entries]" },
    ],
});

registry.category("web_tour.tours").add("odoo_dev_mcp_seals", verify("The audit log is whole"));
registry.category("web_tour.tours").add("odoo_dev_mcp_seals_broken", verify("not as it was written"));
