import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("odoo_dev_mcp_limits", {
    url: "/odoo/action-odoo_dev_mcp.mcp_rate_limit_action",
    steps: () => [
        {
            content: "The list tells how much of the rule is used",
            trigger:
                ".o_data_row:has(td[name=name]:contains(Slowly)) td[name=calls_now] .o_progressbar:contains(2)",
        },
        {
            content: "Open the rule",
            trigger: ".o_data_row td[name=name]:contains(Slowly)",
            run: "click",
        },
        {
            content: "It tells whose calls are counted",
            trigger: ".o_form_view td[name=who]:contains(key of mcp_developer)",
        },
        {
            content: "Reset that window",
            trigger: ".o_form_view td button[name=action_reset]",
            run: "click",
        },
        {
            content: "No window runs any more",
            trigger: ".o_form_view p:contains(No window runs)",
        },
    ],
});
