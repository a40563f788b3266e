// Answers calls in Pyodide: node serve.mjs RUNTIME WHEEL TESTS EXCHANGE
//
// RUNTIME is the folder of Pyodide, WHEEL the package under test. The folders TESTS and EXCHANGE
// have the same paths inside. For each line on standard input, `answers.py` answers the call in
// EXCHANGE; then an empty line is printed.
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [runtime, wheel, tests, exchange] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${runtime}/pyodide.mjs`));
const pyodide = await loadPyodide({ indexURL: runtime, stdout: console.error });
const messageCallback = () => {};
await pyodide.loadPackage(["numpy", wheel], { messageCallback });
for (const folder of [tests, exchange]) {
  pyodide.FS.mkdirTree(folder);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, folder);
}
pyodide.runPython("import sys; sys.dont_write_bytecode = True");
pyodide.pyimport("sys").path.append(dirname(tests));
const answers = pyodide.pyimport("tests.browser.answers");
for await (const line of createInterface({ input: process.stdin })) {
  answers.answer(exchange);
  console.log(line);
}
