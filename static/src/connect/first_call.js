import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const PERIOD = 2000;

/**
 * Tells by itself when the first call with a new key has come in.
 */
export class FirstCall extends Component {
    static template = "odoo_dev_mcp.FirstCall";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ call: false });
        onMounted(() => this.poll());
        onWillUnmount(() => {
            this.left = true;
            browser.clearTimeout(this.timer);
        });
    }

    async poll() {
        try {
            const key = this.props.record.data.key_number;
            const silent = this.orm.silent;
            this.state.call = await silent.call("mcp.api.key", "first_call", [[key]]);
        } catch (error) {
            // the server restarts, say: it is asked again; any other error stays one
            if (!(error instanceof ConnectionLostError)) {
                throw error;
            }
        }
        if (!this.state.call && !this.left) {
            this.timer = browser.setTimeout(() => this.poll(), PERIOD);
        }
    }

    get connected() {
        const { client, tool, time } = this.state.call;
        return _t("Connected: %(client)s called %(tool)s at %(time)s", {
            client: client || _t("a client"),
            tool,
            time: formatDateTime(deserializeDateTime(time)),
        });
    }
}

registry.category("view_widgets").add("odoo_dev_mcp_first_call", {
    component: FirstCall,
    fieldDependencies: [{ name: "key_number", type: "integer" }],
});
