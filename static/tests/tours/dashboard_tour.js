import { registry } from "@web/core/registry";

const url = "/odoo/action-odoo_dev_mcp.mcp_dashboard_action/7";
const period = (name) => ({
    content: `It is ${name}`,
    trigger: `.o_form_view h1:contains(${name})`,
});

registry.category("web_tour.tours").add("odoo_dev_mcp_dashboard", {
    url,
    steps: () => [
        period("Last 7 Days"),
        { content: "The charts are drawn", trigger: ".o_field_widget[name=calls_graph] canvas" },
        { content: "The listener is told of", trigger: ".o_field_widget[name=listener_state]:not(:empty)" },
        { content: "The most used tool is named", trigger: "[name=tables] td:contains(query_database)" },
        { content: "Show a month", trigger: "button[name=action_period]:contains(30 Days)", run: "click" },
        period("Last 30 Days"),
        {
            content: "Open the refused calls",
            trigger: "button[name=action_entries]:contains(Refused):contains(2)",
            run: "click",
        },
        {
            content: "They alone are listed",
            trigger: ".o_list_view:not(:has(td:contains(query_database))) td[name=tool]:contains(no_such_tool)",
        },
    ],
});

registry.category("web_tour.tours").add("odoo_dev_mcp_dashboard_user", {
    url,
    steps: () => [
        period("Last 7 Days"),
        { content: "There is no call", trigger: "[name=tables]:contains(None in this period)" },
        { content: "The server is not told of", trigger: "body:not(:has([name=listener_state]))" },
    ],
});
