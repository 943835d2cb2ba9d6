// Reads Mermaid's texts, a JSON list on standard input, with Mermaid's own parser. Prints a list of what each is: the number of
// its boxes and arrows, or the error.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.cwd() + '/');
const { JSDOM } = require('jsdom');
const { window } = new JSDOM('');
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import(
  pathToFileURL(process.cwd() + '/node_modules/mermaid/dist/mermaid.core.mjs')
);

const answers = [];
for (const text of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    answers.push({ boxes: db.getVertices().size, arrows: db.getEdges().length, error: '' });
  } catch (error) {
    answers.push({ boxes: 0, arrows: 0, error: String(error) });
  }
}
console.log(JSON.stringify(answers));
