// Runs the script of a web page: node page.mjs SCRIPT
//
// Files are fetched from the working folder. At the end, the text of the page's one element is
// printed.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const element = {};
globalThis.fetch = async (path) => new Response(await readFile(path));
globalThis.document = { getElementById: () => element };
await import(pathToFileURL(process.argv[2]));
console.log(element.textContent);
