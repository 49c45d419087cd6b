{
    "name": "MCP Benchmark: the floor",
    "summary": "The least that a controller of Odoo can do with the database.",
    "version": "1.0.0",
    "category": "Hidden",
    "author": "Odoo Dev MCP contributors",
    "license": "LGPL-3",
    "depends": ["base"],
}
