// Walks Odoo's web client in Chromium and takes the pictures that dev/screenshots.py asks for.
// node screenshots.mjs BROWSER URL FOLDER, the list of pictures as JSON on standard input.
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";

// the packages lie in the cache, not beside this file
const { chromium } = createRequire(join(process.cwd(), "package.json"))("playwright-core");

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];
const SIZES = { desktop: { width: 1366, height: 768 }, phone: { width: 390, height: 844 } };

const [executablePath, url, folder] = process.argv.slice(2);
const pictures = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({ executablePath, args: QUIET });
const complaints = [];

async function loggedIn(size) {
    const context = await browser.newContext({ viewport: SIZES[size], isMobile: size === "phone", hasTouch: size === "phone" });
    const page = await context.newPage();
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) {
            complaints.push(`${page.url()}: ${message.text()}`);
        }
    });
    page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
    await page.goto(`${url}/web/login`);
    await page.fill("input[name=login]", "admin");
    await page.fill("input[name=password]", "admin");
    await page.click("button[type=submit]");
    await page.waitForSelector(".o_web_client");
    return page;
}

/** Does the steps of a picture: [selector] waits, [selector, "click"] clicks, else types. */
async function walk(page, steps) {
    for (const [selector, value] of steps) {
        const found = page.locator(selector).first();
        if (value === undefined) {
            await found.waitFor();
        } else if (value === "click") {
            await found.click();
        } else {
            await found.fill(value);
        }
    }
}

const pages = {};
for (const { name, size, path, steps } of pictures) {
    const page = (pages[size] ??= await loggedIn(size));
    await page.goto(url + path);
    await walk(page, steps);
    await page.evaluate(() => document.fonts.ready);
    // nothing is pointed at, and no tooltip stays
    await page.mouse.move(0, 0);
    await page.screenshot({ path: `${folder}/${name}.png`, animations: "disabled" });
    console.log(name);
}
await browser.close();
for (const complaint of complaints) {
    console.error(complaint);
}
process.exit(complaints.length ? 1 : 0);
