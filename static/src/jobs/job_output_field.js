import { Component, onMounted, onPatched, onWillUnmount, onWillPatch, useRef } from "@odoo/owl";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const PAUSE = 2000;
const UNDER_WAY = ["pending", "running"];

/**
 * What a job has printed. While the job is under way its record is read again and again,
 * so that all of its form stays true; a reader at the end of the output stays there.
 */
export class JobOutputField extends Component {
    static template = "odoo_dev_mcp.JobOutputField";
    static props = { ...standardFieldProps };

    setup() {
        this.root = useRef("root");
        this.timer = null;
        let atEnd = true;
        onWillPatch(() => {
            const el = this.root.el;
            atEnd = el.scrollTop + el.clientHeight >= el.scrollHeight - 5;
        });
        onPatched(() => {
            if (atEnd) {
                this.scrollToEnd();
            }
            this.wait();
        });
        onMounted(() => {
            this.scrollToEnd();
            this.wait();
        });
        onWillUnmount(() => this.stop());
    }

    get isUnderWay() {
        return UNDER_WAY.includes(this.props.record.data.state);
    }

    get text() {
        return this.props.record.data[this.props.name] || "";
    }

    scrollToEnd() {
        this.root.el.scrollTop = this.root.el.scrollHeight;
    }

    wait() {
        if (!this.timer && this.isUnderWay) {
            this.timer = setTimeout(() => this.refresh(), PAUSE);
        }
    }

    stop() {
        clearTimeout(this.timer);
        this.stopped = true;
    }

    async refresh() {
        try {
            await this.props.record.load();
        } catch (error) {
            // the server may be on its way back
            if (!(error instanceof ConnectionLostError)) {
                throw error;
            }
        }
        this.timer = null;
        if (!this.stopped) {
            this.wait();
        }
    }
}

export const jobOutputField = {
    component: JobOutputField,
    supportedTypes: ["text"],
    fieldDependencies: [{ name: "state", type: "selection" }],
};

registry.category("fields").add("mcp_job_output", jobOutputField);
