import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("odoo_dev_mcp_tools", {
    url: "/odoo/action-odoo_dev_mcp.mcp_tool_action",
    steps: () => [
        {
            content: "The tools that are shipped are listed",
            trigger: ".o_list_view td[name=name]:contains(query_database)",
        },
    ],
});
