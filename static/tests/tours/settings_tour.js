import { registry } from "@web/core/registry";
import { session } from "@web/session";

const BEFORE = "o_mcp_before_saving";

// Saving loads the page anew: a tour of 19.0 wants to know that, one of 18.0 does not.
const loadsAnew = session.server_version_info?.[0] >= 19 ? { expectUnloadPage: true } : {};

registry.category("web_tour.tours").add("odoo_dev_mcp_settings", {
    url: "/odoo/action-odoo_dev_mcp.res_config_settings_action",
    steps: () => [
        {
            content: "Suspend all MCP access",
            trigger: "button[name=action_mcp_suspend]",
            run: "click",
        },
        {
            content: "It asks first: yes",
            trigger: ".modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "The page says that access is suspended",
            trigger: ".alert-danger:contains(All MCP access is suspended)",
        },
        {
            content: "There is nothing to suspend any more",
            trigger: ".settings:not(:has(button[name=action_mcp_suspend]))",
        },
        {
            content: "Resume access",
            trigger: ".alert-danger button[name=action_mcp_resume]",
            run: "click",
        },
        {
            content: "It can be suspended again",
            trigger: ".settings:not(:has(.alert-danger)) button[name=action_mcp_suspend]",
        },
        {
            content: "Allow fewer rows",
            trigger: "div[name=mcp_query_rows] input",
            run: "edit 77",
        },
        {
            content: "Remember the page",
            trigger: ".o_form_button_save",
            run: () => document.body.classList.add(BEFORE),
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
            ...loadsAnew,
        },
        {
            content: "The page is a new one, and it is kept",
            trigger: `body:not(.${BEFORE}) .o_form_view:not(:has(.o_dirty_warning)) div[name=mcp_query_rows] input`,
        },
    ],
});
