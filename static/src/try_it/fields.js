/**
 * From a JSON Schema to the fields of a form, and back to the arguments of a call.
 * Whatever has no input of its own is written as JSON.
 */

const SHORT = 80;

/** What an argument is typed into. */
function widgetOf(schema) {
    if (schema.enum) {
        return "select";
    }
    if (schema.type === "boolean") {
        return "boolean";
    }
    if (schema.type === "integer" || schema.type === "number") {
        return "number";
    }
    if (schema.type === "string") {
        const short = schema.pattern || schema.format || (schema.maxLength || SHORT + 1) <= SHORT;
        return short ? "text" : "lines";
    }
    return "json";
}

/**
 * @param {Object} schema JSON Schema 2020-12 of an object
 * @returns {Object[]} required fields first, each with name, label, widget, help, options, hint
 */
export function fieldsOf(schema) {
    const required = new Set(schema.required || []);
    const fields = Object.entries(schema.properties || {}).map(([name, own]) => ({
        name,
        required: required.has(name),
        widget: widgetOf(own),
        type: own.type || "any",
        help: own.description || "",
        options: (own.enum || []).map((value) => ({ value: JSON.stringify(value), label: String(value) })),
        hint: own.default === undefined ? "" : JSON.stringify(own.default),
        minimum: own.minimum,
        maximum: own.maximum,
        step: own.type === "integer" ? 1 : "any",
    }));
    return fields.sort((a, b) => b.required - a.required);
}

/** Fields of the arguments of a prompt, which are all texts. */
export function fieldsOfPrompt(prompt) {
    const properties = {};
    for (const argument of prompt.arguments || []) {
        properties[argument.name] = { type: "string", maxLength: SHORT, description: argument.description };
    }
    const required = (prompt.arguments || []).filter((row) => row.required).map((row) => row.name);
    return fieldsOf({ properties, required });
}

/** Fields of the variables in a URI template. RFC 6570, level 1. */
export function fieldsOfTemplate(template) {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const properties = Object.fromEntries(names.map((name) => [name, { type: "string", maxLength: SHORT }]));
    return fieldsOf({ properties, required: names });
}

/**
 * @param {Object} field as `fieldsOf` returns it
 * @param {string} text what was typed
 * @returns the value of the argument; undefined: it is left out
 * @throws {SyntaxError} it is no JSON
 */
export function valueOf(field, text) {
    if (text === "" || text === undefined) {
        return field.required && field.type === "string" ? "" : undefined;
    }
    switch (field.widget) {
        case "boolean":
            return text === "true";
        case "number":
            return Number(text);
        case "select":
        case "json":
            return JSON.parse(text);
        default:
            return text;
    }
}
