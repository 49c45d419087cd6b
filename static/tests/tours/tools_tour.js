import { registry } from "@web/core/registry";

const LIST = "/odoo/action-odoo_dev_mcp.mcp_tool_action";

registry.category("web_tour.tours").add("odoo_dev_mcp_tools", {
    url: LIST,
    steps: () => [
        {
            content: "The tools that are shipped are listed, with what they may do",
            trigger: ".o_data_row:contains(query_database) .badge:contains(Read-only)",
        },
        {
            content: "As cards by toolset",
            trigger: ".o_switch_view.o_kanban",
            run: "click",
        },
        {
            content: "Make one",
            trigger: ".o_kanban_group:contains(Database) .o_kanban_record:contains(query_database)",
        },
        {
            content: "A new one",
            trigger: ".o-kanban-button-new",
            run: "click",
        },
        {
            content: "Its name",
            trigger: ".o_field_widget[name=name] input",
            run: "edit find_partners",
        },
        {
            content: "Its title",
            trigger: ".o_field_widget[name=title] input",
            run: "edit Find partners",
        },
        {
            content: "When to use it",
            trigger: ".o_field_widget[name=description] textarea",
            run: "edit Find partners by a part of their name.",
        },
        {
            content: "Its code works as it is",
            trigger: ".o_notebook .nav-link[name=code]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=code] .ace_editor",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "What it takes is shown when it is saved",
            trigger: ".o_notebook .nav-link[name=arguments]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=parameters]:contains(A part of the partner)",
        },
        {
            content: "Try it",
            trigger: "button[name=action_try]",
            run: "click",
        },
        {
            content: "It asks for what its schema names",
            trigger: ".modal .o_mcp_try_it #mcp_name",
            run: "edit Mitchell",
        },
        {
            trigger: ".modal .o_mcp_try_it button[type=submit]",
            run: "click",
        },
        {
            content: "Its result is there",
            trigger: ".modal .o_mcp_try_it .badge:contains(Success)",
        },
        {
            trigger: ".modal .o_mcp_try_it_result:contains(partners)",
        },
        {
            content: "And so is its audit entry",
            trigger: ".modal .o_mcp_try_it button:contains(Audit entry)",
            run: "click",
        },
        {
            trigger: ".o_form_view .oe_title:contains(find_partners)",
        },
    ],
});

registry.category("web_tour.tours").add("odoo_dev_mcp_try_it", {
    url: LIST,
    steps: () => [
        {
            trigger: ".o_data_row:contains(query_database) button[name=action_try]",
            run: "click",
        },
        {
            content: "A fault of the tool is shown as the model would see it",
            trigger: ".modal .o_mcp_try_it #mcp_query",
            run: "edit SELECT nothing",
        },
        {
            content: "What is no JSON is refused before it is sent",
            trigger: ".modal .o_mcp_try_it #mcp_params",
            run: "edit [1",
        },
        {
            trigger: ".modal .o_mcp_try_it button[type=submit]",
            run: "click",
        },
        {
            trigger: ".modal .o_mcp_try_it .alert:contains(params: write JSON)",
        },
        {
            trigger: ".modal .o_mcp_try_it #mcp_params",
            run: "edit []",
        },
        {
            trigger: ".modal .o_mcp_try_it button[type=submit]",
            run: "click",
        },
        {
            trigger: ".modal .o_mcp_try_it .badge:contains(Failed)",
        },
        {
            trigger: ".modal .o_mcp_try_it_result:contains(get_db_schema)",
        },
        {
            trigger: ".modal .btn-close",
            run: "click",
        },
        {
            content: "The list has the call when it is read again",
            trigger: "body:not(:has(.modal)) .o_data_row:contains(query_database) td[name=errors_day]:contains(1)",
        },
        {
            content: "A tool that is switched off cannot be tried",
            trigger: ".o_data_row:contains(list_modules) .o_field_widget[name=active] input",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains(list_modules):not(:has(button[name=action_try]))",
        },
    ],
});

registry.category("web_tour.tours").add("odoo_dev_mcp_resources", {
    url: "/odoo/action-odoo_dev_mcp.mcp_resource_action",
    steps: () => [
        {
            trigger: ".o_data_row:contains(odoo://schema/) button[name=action_try]",
            run: "click",
        },
        {
            content: "The variable of the template is asked for",
            trigger: ".modal .o_mcp_try_it #mcp_table",
            run: "edit res_partner",
        },
        {
            trigger: ".modal .o_mcp_try_it button[type=submit]",
            run: "click",
        },
        {
            trigger: ".modal .o_mcp_try_it_result:contains(commercial_partner_id)",
        },
    ],
});

registry.category("web_tour.tours").add("odoo_dev_mcp_prompts", {
    url: "/odoo/action-odoo_dev_mcp.mcp_prompt_action",
    steps: () => [
        {
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=name] input",
            run: "edit greet",
        },
        {
            trigger: ".o_field_widget[name=title] input",
            run: "edit Greet",
        },
        {
            trigger: ".o_field_widget[name=description] textarea",
            run: "edit Greet somebody by name.",
        },
        {
            content: "Its arguments",
            trigger: ".o_notebook .nav-link[name=arguments]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=argument_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=argument_ids] .o_field_widget[name=name] input",
            run: "edit who",
        },
        {
            content: "Its code, where a template is not enough",
            trigger: ".o_notebook .nav-link[name=code]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=code] .ace_editor textarea:not(:visible)",
            run: async ({ anchor }) => {
                const editor = window.ace.edit(anchor.closest(".ace_editor"));
                editor.setValue("action = 'Good day, %s!' % arguments['who']");
                editor.blur();
            },
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: "button[name=action_try]",
            run: "click",
        },
        {
            trigger: ".modal .o_mcp_try_it #mcp_who",
            run: "edit Ada",
        },
        {
            trigger: ".modal .o_mcp_try_it button[type=submit]",
            run: "click",
        },
        {
            trigger: ".modal .o_mcp_try_it_result:contains(Good day, Ada!)",
        },
    ],
});
