import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

/** Has the server do what the test has prepared under this name. */
async function happens(name) {
    const call = (method, args) =>
        rpc(`/web/dataset/call_kw/ir.actions.server/${method}`, {
            model: "ir.actions.server",
            method,
            args,
            kwargs: {},
        });
    await call("run", [await call("search", [[["name", "=", name]]])]);
}

registry.category("web_tour.tours").add("odoo_dev_mcp_jobs", {
    url: "/odoo/action-odoo_dev_mcp.mcp_job_action",
    steps: () => [
        {
            content: "The list tells how far a job is",
            trigger: ".o_data_row td[name=percent] .o_progressbar:contains(30)",
        },
        {
            content: "Open the filters",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            content: "Show my jobs",
            trigger: ".o_menu_item:contains(My Jobs)",
            run: "click",
        },
        {
            content: "Show those of today",
            trigger: ".o_menu_item:contains(Today)",
            run: "click",
        },
        {
            content: "Both filters hold",
            trigger: ".o_searchview:contains(Today):contains(My Jobs)",
        },
        {
            content: "Open the job",
            trigger: ".o_data_row td[name=tool]:contains(execute_command)",
            run: "click",
        },
        {
            content: "It tells what it has printed, and something more is printed",
            trigger: ".o_mcp_job_output:contains(first line)",
            run: () => happens("mcp tour: prints"),
        },
        {
            content: "What was printed since comes by itself",
            trigger: ".o_mcp_job_output:contains(second line)",
        },
        {
            content: "Stop it",
            trigger: "button[name=action_cancel]",
            run: "click",
        },
        {
            content: "Yes, stop it",
            trigger: ".modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "The job ends",
            trigger: "body:not(:has(.modal)) .o_mcp_job_output",
            run: () => happens("mcp tour: ends"),
        },
        {
            content: "Its end comes by itself, and it is not read any more",
            trigger:
                ".o_form_view:not(:has([role=status] .fa-spin)) .o_arrow_button_current:contains(Done)",
        },
        {
            content: "It has a result now",
            trigger: ".nav-link[name=answer]",
            run: "click",
        },
        {
            content: "The result is told as people read it",
            trigger: "div[name=answer]:contains(exit_code)",
        },
    ],
});
