#!/usr/bin/env node
// Sets every equation of the code's pages as docs.rs does, by assets/equations.html, and writes them beside what stands in the code to
// target/equations/index.html, to look at. Fails where KaTeX refuses one, or is not the KaTeX that the page asks for.
//
//   node scripts/equations.mjs    # needs Node.js 18 and npm, which fetches KaTeX

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const page = readFileSync("assets/equations.html", "utf8");
const version = page.match(/katex@([\d.]+)/)[1];
const out = "target/equations";
mkdirSync(out, { recursive: true });
execFileSync("npm", ["install", "--silent", "--no-save", "--prefix", out, `katex@${version}`], { stdio: "inherit" });
const dist = `${out}/node_modules/katex/dist`;

let wrong = 0;
const complain = problem => { console.error(problem); wrong += 1; };
for (const [, file, integrity] of page.matchAll(/dist\/([\w.]+)" integrity="([^"]+)"/g)) {
  const is = "sha384-" + createHash("sha384").update(readFileSync(`${dist}/${file}`)).digest("base64");
  if (is !== integrity) complain(`assets/equations.html: ${file} of KaTeX ${version} has the integrity ${is}`);
}

const katex = createRequire(import.meta.url)(`../${dist}/katex.js`);
const script = page.slice(page.lastIndexOf("<script>") + 8, page.lastIndexOf("</script>"));
const tex = new Function(`${script}\nreturn tex;`)();
const escaped = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const rows = [];
for (const file of readdirSync("src", { recursive: true }).filter(name => name.endsWith(".rs")).sort()) {
  for (const [, block] of readFileSync(join("src", file), "utf8").matchAll(/```math\n([^`]*(?:`[^`]+`[^`]*)*)```/g)) {
    const equation = block.replace(/^\s*\/\/[/!] ?/gm, "").trimEnd();
    try {
      const set = katex.renderToString(tex(equation), { displayMode: true, fleqn: true, throwOnError: true });
      rows.push(`<h4>src/${file}</h4><pre>${escaped(equation)}</pre>${set}`);
    } catch (problem) {
      complain(`src/${file}: ${problem.message}\n${equation}`);
    }
  }
}
const head = '<!doctype html><meta charset="utf-8"><title>Equations</title><link rel="stylesheet" href="node_modules/katex/dist/katex.min.css">';
writeFileSync(`${out}/index.html`, `${head}<body style="font-family: sans-serif">${rows.join("\n")}`);
console.log(`${rows.length} equations in ${out}/index.html`);
process.exitCode = wrong > 0 ? 1 : 0;
