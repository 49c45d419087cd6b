// Tokens of standard input in the encoding o200k, as a number on standard output.
const { readFileSync } = require("node:fs");
const { Tiktoken } = require("js-tiktoken/lite");
const o200k = require("js-tiktoken/ranks/o200k_base");

const text = readFileSync(0, "utf8");
console.log(new Tiktoken(o200k.default ?? o200k).encode(text, [], []).length);
